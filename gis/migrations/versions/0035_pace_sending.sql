-- Usage: how many messages to a paced carrier are on their way, before each claim for it; not through all that is being sent.
CREATE INDEX delivery_pace_sending ON alerts.delivery (pace) WHERE state = 'sending' AND pace <> '';
