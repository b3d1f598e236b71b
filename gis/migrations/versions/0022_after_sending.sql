-- What became of a message: resending, progress, reach.

-- Who had what failed sent once more, when and why.
CREATE TABLE alerts.resend (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id   bigint NOT NULL REFERENCES alerts.alert,
    account    text NOT NULL,
    note       text NOT NULL DEFAULT '',
    messages   int NOT NULL CHECK (messages > 0),
    created_at timestamptz NOT NULL DEFAULT now()
);
-- Usage: the resendings of an alert, in order.
CREATE INDEX resend_alert ON alerts.resend (alert_id, id);

-- Which deliveries of an alert may be tried again: what failed here, or was refused while the mailbox was full. Never who
-- has it, whose address is gone, who complained, left or was suspended, nor to an address that is no longer theirs.
CREATE FUNCTION alerts.resendable(wanted_alert bigint) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT d.id
    FROM alerts.delivery d
    JOIN alerts.alert a ON a.id = d.alert_id
    JOIN alerts.subscriber s ON s.id = d.subscriber_id
    WHERE d.alert_id = wanted_alert AND d.state IN ('failed', 'bounced')
      AND a.state IN ('sending', 'sent') AND clock_timestamp() < a.expires_at
      AND s.state = 'confirmed' AND (d.channel <> 'mail' OR d.address = s.email)
      AND (d.state = 'failed' OR EXISTS (SELECT FROM alerts.bounce b WHERE b.delivery_id = d.id AND b.kind = 'soft'))
      AND NOT EXISTS (SELECT FROM alerts.bounce b WHERE b.delivery_id = d.id AND b.kind <> 'soft')
      AND NOT EXISTS (SELECT FROM alerts.attempt t WHERE t.delivery_id = d.id AND t.outcome = 'accepted' AND d.state = 'failed')
$$;

-- Put them back into the queue in the name of an approver; how many. Two at once: the second finds nothing left.
CREATE FUNCTION alerts.resend_failed(wanted_alert bigint, why text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    found_state text;
    found_end   timestamptz;
    resent      int;
BEGIN
    IF NOT gis.account_holds(gis.current_account(), 'alert_approver') THEN
        RAISE EXCEPTION '% may not send an alert again', gis.current_account()
            USING ERRCODE = 'insufficient_privilege', HINT = 'It needs the role alert_approver.';
    END IF;
    SELECT state, expires_at INTO found_state, found_end FROM alerts.alert WHERE id = wanted_alert FOR UPDATE;
    IF found_state IS NULL OR found_state NOT IN ('sending', 'sent') OR clock_timestamp() >= found_end THEN
        RAISE EXCEPTION 'alert % is not in force', wanted_alert USING ERRCODE = 'check_violation';
    END IF;
    UPDATE alerts.delivery
    SET state = 'pending', sender_id = NULL, merged_into = NULL, is_held = false, finished_at = NULL, next_attempt_at = clock_timestamp()
    WHERE id IN (SELECT alerts.resendable(wanted_alert)) AND state IN ('failed', 'bounced');
    GET DIAGNOSTICS resent = ROW_COUNT;
    IF resent > 0 THEN
        INSERT INTO alerts.resend (alert_id, account, note, messages) VALUES (wanted_alert, gis.current_account(), why, resent);
    END IF;
    RETURN resent;
END $$;

-- What is done with stays done: a person opens no delivery again but through alerts.resend_failed.
CREATE FUNCTION alerts.guard_outcome() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF gis.is_person_acting() THEN
        RAISE EXCEPTION 'delivery %: % stays %', OLD.id, OLD.state, OLD.state
            USING ERRCODE = 'insufficient_privilege', HINT = 'What failed is sent again by alerts.resend_failed.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_outcome BEFORE UPDATE OF state ON alerts.delivery FOR EACH ROW
    WHEN (OLD.state IN ('accepted', 'bounced', 'failed', 'expired', 'suppressed') AND NEW.state <> OLD.state)
    EXECUTE FUNCTION alerts.guard_outcome();

REVOKE ALL ON FUNCTION alerts.resendable, alerts.resend_failed, alerts.guard_outcome FROM PUBLIC;
GRANT EXECUTE ON FUNCTION alerts.resendable TO dept_disaster, dept_disaster_viewer, machimori_service;
GRANT EXECUTE ON FUNCTION alerts.resend_failed TO dept_disaster, dept_disaster_viewer;
GRANT SELECT ON alerts.resend TO dept_disaster, dept_disaster_viewer, machimori_service;
GRANT SELECT ON alerts.bounce, alerts.webhook_call TO dept_disaster_viewer;
