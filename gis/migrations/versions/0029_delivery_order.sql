-- Deliveries of a message just written are unknown to the planner's statistics: with an index on alert_id alone beside the
-- others it took that one, and read a whole town's deliveries for each batch, and for each message of an older alert.
-- Now there is one way to each question.
DROP INDEX alerts.delivery_alert;
DROP INDEX alerts.delivery_person;
-- Usage: one person, one message per channel; a person's messages of a thread; all of one message (progress, report).
CREATE UNIQUE INDEX delivery_person ON alerts.delivery (alert_id, subscriber_id, channel);

ALTER TABLE alerts.delivery
    ADD COLUMN pace text NOT NULL DEFAULT ''; -- the limit its mail domain is under (data/mail_limits.toml), or ''
DROP INDEX alerts.delivery_due;
-- Usage: claim what is due, each pace by itself: what waits for a strict carrier is not read over and over.
CREATE INDEX delivery_due ON alerts.delivery (alert_id, channel, pace, next_attempt_at) WHERE state IN ('pending', 'deferred');

-- Usage: attempts of a delivery, in their order.
ALTER TABLE alerts.attempt DROP CONSTRAINT attempt_pkey, ADD PRIMARY KEY (delivery_id, id);
DROP INDEX alerts.attempt_delivery;
