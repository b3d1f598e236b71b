-- The dispatcher: who sends what right now, paces per mail domain, relays' health, bounces, suspensions, webhooks.

-- A running sender of a worker. It lives while it beats; what a dead one had claimed goes back to the queue.
-- A row is overwritten many times a second: the free space keeps every new version on its page (HOT).
CREATE TABLE alerts.sender (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    worker      text NOT NULL,                         -- host and process, for people
    thread_id   bigint NOT NULL REFERENCES alerts.alert, -- the first alert of the thread it sends
    started_at  timestamptz NOT NULL DEFAULT now(),
    beats_until timestamptz NOT NULL,                  -- dead after this, by the database's clock
    in_hand     bigint[] NOT NULL DEFAULT '{}'         -- deliveries on its connections: written before the content leaves
) WITH (fillfactor = 20);

ALTER TABLE alerts.delivery
    DROP COLUMN leased_until,
    ADD COLUMN sender_id bigint,                       -- who holds a row in the state 'sending'
    ADD COLUMN is_held boolean NOT NULL DEFAULT false, -- waits for the end of the person's quiet hours
    ADD COLUMN domain text GENERATED ALWAYS AS (lower(substr(address, strpos(address, '@') + 1))) STORED,
    DROP CONSTRAINT delivery_alert_id_subscriber_id_channel_key;
-- Usage: one person, one message per channel; everyone who got the original.
CREATE UNIQUE INDEX delivery_person ON alerts.delivery (subscriber_id, alert_id, channel);
DROP INDEX alerts.delivery_subscriber;  -- the same columns
DROP INDEX alerts.delivery_due;
-- Usage: claim what is due.
CREATE INDEX delivery_due ON alerts.delivery (alert_id, next_attempt_at) WHERE state IN ('pending', 'deferred');
-- Usage: what a sender holds; how many messages to a paced domain are on their way.
CREATE INDEX delivery_sending ON alerts.delivery (sender_id) WHERE state = 'sending';

ALTER TABLE alerts.attempt
    ADD COLUMN in_doubt boolean NOT NULL DEFAULT false; -- handed over, no answer: it may arrive twice
-- Usage: count what may have arrived twice, without reading every attempt.
CREATE INDEX attempt_in_doubt ON alerts.attempt (delivery_id) WHERE in_doubt;

-- When a paced mail domain may be written to again (data/mail_limits.toml); shared by all workers.
CREATE TABLE alerts.pace (
    name    text PRIMARY KEY,
    free_at timestamptz NOT NULL DEFAULT '-infinity'
);

-- How each relay does: an open circuit means that the others are asked first until `retry_at`.
CREATE TABLE alerts.relay_health (
    relay      text PRIMARY KEY,                       -- host:port
    is_open    boolean NOT NULL,
    failures   int NOT NULL,                           -- in a row
    reason     text NOT NULL,                          -- the last failure's words
    changed_at timestamptz NOT NULL DEFAULT now(),
    retry_at   timestamptz NOT NULL
);

-- What came back about an address: a refusal while sending, a report (RFC 3464) or a complaint (RFC 5965).
CREATE TABLE alerts.bounce (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id   bigint NOT NULL REFERENCES alerts.delivery,
    subscriber_id bigint NOT NULL REFERENCES alerts.subscriber,
    kind          text NOT NULL CHECK (kind IN ('hard', 'soft', 'policy', 'complaint', 'unsubscribe')),
    source        text NOT NULL CHECK (source IN ('smtp', 'report')),
    status        text NOT NULL DEFAULT '',            -- RFC 3463, e.g. 5.1.1
    words         text NOT NULL DEFAULT '',            -- the other side's own
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (delivery_id, kind, source)                 -- the same report read twice counts once
);
-- Usage: how many alerts in a row an address refused.
CREATE INDEX bounce_subscriber ON alerts.bounce (subscriber_id, id);

-- Reports that nobody understood or that name no delivery of ours; kept for people.
CREATE TABLE alerts.bounce_unread (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256     text NOT NULL UNIQUE,
    reason     text NOT NULL,
    head       text NOT NULL,                          -- the first lines
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Quiet hours, in the town's time: messages below level 4 wait until they end. NULL = none.
ALTER TABLE alerts.subscriber
    ADD COLUMN quiet_from time,
    ADD COLUMN quiet_until time,
    ADD CONSTRAINT quiet_is_whole CHECK ((quiet_from IS NULL) = (quiet_until IS NULL));

-- When the quiet hours end that a moment lies in; NULL when it lies in none. They may go over midnight.
CREATE FUNCTION alerts.quiet_end(quiet_from time, quiet_until time, moment timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN quiet_from IS NULL OR quiet_from = quiet_until THEN NULL
        WHEN quiet_from < quiet_until AND clock.at >= quiet_from AND clock.at < quiet_until
            THEN (clock.day + quiet_until) AT TIME ZONE 'Asia/Tokyo'
        WHEN quiet_from > quiet_until AND clock.at >= quiet_from
            THEN (clock.day + 1 + quiet_until) AT TIME ZONE 'Asia/Tokyo'
        WHEN quiet_from > quiet_until AND clock.at < quiet_until
            THEN (clock.day + quiet_until) AT TIME ZONE 'Asia/Tokyo'
    END
    FROM (SELECT (moment AT TIME ZONE 'Asia/Tokyo')::time AS at, (moment AT TIME ZONE 'Asia/Tokyo')::date AS day) clock
$$;

-- Other systems that are told of every alert, signed with a secret of their own.
CREATE TABLE alerts.webhook (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url        text NOT NULL UNIQUE CHECK (url LIKE 'http%'),
    secret     text NOT NULL,
    is_active  boolean NOT NULL DEFAULT true,
    takes_drills boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE alerts.webhook_call (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id bigint NOT NULL REFERENCES alerts.webhook,
    alert_id   bigint NOT NULL REFERENCES alerts.alert,
    state      text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'accepted', 'failed', 'expired')),
    attempts   int NOT NULL DEFAULT 0,
    reply      text NOT NULL DEFAULT '',
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    UNIQUE (webhook_id, alert_id)                      -- an alert is told once
);

-- Usage: who subscribed after an alert was sent.
CREATE INDEX subscriber_updated ON alerts.subscriber (updated_at) WHERE state = 'confirmed';

-- Who subscribes while an alert holds gets it, too: also when it is sent already.
CREATE OR REPLACE FUNCTION alerts.guard_delivery() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    offender bigint;
BEGIN
    SELECT d.subscriber_id INTO offender
    FROM new_rows d
    JOIN alerts.alert a ON a.id = d.alert_id
    JOIN alerts.subscriber s ON s.id = d.subscriber_id
    WHERE (a.cap_status <> 'Actual' AND NOT s.is_drill)
       OR s.state <> 'confirmed'
       OR a.state NOT IN ('approved', 'sending', 'sent')
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'delivery to subscriber %: not on the drill list, not confirmed, or the alert is not approved', offender
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON alerts.sender TO machimori_service;
GRANT SELECT, INSERT, UPDATE ON alerts.pace, alerts.relay_health, alerts.bounce, alerts.bounce_unread, alerts.webhook_call
    TO machimori_service;
GRANT SELECT ON alerts.webhook TO machimori_service;
GRANT SELECT ON alerts.sender, alerts.relay_health, alerts.bounce, alerts.webhook_call TO dept_disaster;
