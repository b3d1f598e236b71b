-- Addresses of other channels than mail.

-- A browser that takes push messages for a subscriber (RFC 8030): where its service listens, and its keys (RFC 8291).
CREATE TABLE alerts.push_device (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscriber_id bigint NOT NULL REFERENCES alerts.subscriber ON DELETE CASCADE,
    endpoint      text NOT NULL UNIQUE CHECK (endpoint LIKE 'https://%' AND length(endpoint) <= 2000),
    p256dh        bytea NOT NULL CHECK (octet_length(p256dh) = 65),
    auth          bytea NOT NULL CHECK (octet_length(auth) = 16),
    language      text NOT NULL CHECK (language IN ('ja', 'ja-x-easy', 'en')),
    created_at    timestamptz NOT NULL DEFAULT now(),
    gone_at       timestamptz,                         -- the service said that it is no more (404, 410)
    gone_words    text NOT NULL DEFAULT ''
);
-- Usage: the devices of the recipients of a batch.
CREATE INDEX push_device_subscriber ON alerts.push_device (subscriber_id) WHERE gone_at IS NULL;

-- Which device has a message already, when others of the same person have to be tried again.
CREATE TABLE alerts.push_receipt (
    delivery_id bigint NOT NULL REFERENCES alerts.delivery ON DELETE CASCADE,
    device_id   bigint NOT NULL REFERENCES alerts.push_device ON DELETE CASCADE,
    accepted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (delivery_id, device_id)
);
-- Usage: forget a device.
CREATE INDEX push_receipt_device ON alerts.push_receipt (device_id);

-- Take a device for a subscription; the token is the key. A browser that comes again, also for another subscription,
-- replaces what it had. False: the token is not known, not confirmed, or has ten devices already.
CREATE FUNCTION open.add_push_device(wanted_token text, new_endpoint text, new_p256dh bytea, new_auth bytea, new_language text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    holder bigint;
BEGIN
    SELECT id INTO holder FROM alerts.subscriber WHERE token = wanted_token AND state = 'confirmed' FOR UPDATE;
    IF NOT FOUND OR (SELECT count(*) FROM alerts.push_device
                     WHERE subscriber_id = holder AND gone_at IS NULL AND endpoint <> new_endpoint) >= 10 THEN
        RETURN false;
    END IF;
    INSERT INTO alerts.push_device (subscriber_id, endpoint, p256dh, auth, language)
    VALUES (holder, new_endpoint, new_p256dh, new_auth, new_language)
    ON CONFLICT (endpoint) DO UPDATE
    SET subscriber_id = holder, p256dh = new_p256dh, auth = new_auth, language = new_language, gone_at = NULL, gone_words = '';
    RETURN true;
END $$;

-- Forget a device of a subscription. True when it was known.
CREATE FUNCTION open.remove_push_device(wanted_token text, old_endpoint text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    WITH removed AS (
        DELETE FROM alerts.push_device d USING alerts.subscriber s
        WHERE s.id = d.subscriber_id AND s.token = wanted_token AND d.endpoint = old_endpoint RETURNING 1)
    SELECT EXISTS (SELECT 1 FROM removed)
$$;
REVOKE ALL ON FUNCTION open.add_push_device, open.remove_push_device FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open.add_push_device, open.remove_push_device TO citizen;

-- An endpoint is as personal as a mail address: the disaster office counts them, and reads none.
GRANT SELECT, UPDATE (gone_at, gone_words) ON alerts.push_device TO machimori_service;
GRANT SELECT (id, subscriber_id, language, created_at, gone_at) ON alerts.push_device TO dept_disaster;
GRANT SELECT, INSERT ON alerts.push_receipt TO machimori_service;
