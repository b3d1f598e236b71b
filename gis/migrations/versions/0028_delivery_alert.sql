-- Usage: the numbers of one message: progress, report, statistics, closing. The page reads them again every three seconds.
CREATE INDEX delivery_alert ON alerts.delivery (alert_id);
