-- A push whose devices are all gone was not refused: nobody is left to have it. And what was held over night is one push, too.
ALTER TABLE alerts.attempt DROP CONSTRAINT attempt_outcome_check,
    ADD CONSTRAINT attempt_outcome_check CHECK (outcome IN ('accepted', 'deferred', 'bounced', 'failed', 'suppressed'));

UPDATE alerts.delivery d SET state = 'suppressed', reason = 'no_device'
WHERE d.channel = 'push' AND d.state = 'bounced'
  AND NOT EXISTS (SELECT FROM alerts.push_receipt r WHERE r.delivery_id = d.id)
  AND NOT EXISTS (SELECT FROM alerts.push_device v WHERE v.subscriber_id = d.subscriber_id
                  AND (v.gone_at IS NULL OR v.gone_at > d.finished_at + interval '1 minute'));

-- As in 0032, but whoever has no device left has none for what the push carried either.
CREATE OR REPLACE FUNCTION alerts.carry_merged() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF NEW.state = 'sending' THEN
        UPDATE alerts.delivery SET state = 'sending', sender_id = NEW.sender_id, attempts = attempts + 1
        WHERE merged_into = NEW.id AND state IN ('pending', 'deferred');
    ELSIF NEW.state IN ('accepted', 'bounced', 'failed') OR NEW.reason = 'no_device' THEN
        WITH carried AS (
            UPDATE alerts.delivery
            SET state = NEW.state, reason = NEW.reason, sender_id = NULL, is_held = false, finished_at = NEW.finished_at
            WHERE merged_into = NEW.id AND state IN ('sending', 'accepted') AND state <> NEW.state
            RETURNING id
        )
        INSERT INTO alerts.attempt (delivery_id, started_at, relay, outcome, reply)
        SELECT c.id, coalesce(t.started_at, now()), coalesce(t.relay, ''), NEW.state, coalesce(t.reply, '')
        FROM carried c
        LEFT JOIN LATERAL (SELECT a.started_at, a.relay, a.reply FROM alerts.attempt a
                           WHERE a.delivery_id = NEW.id ORDER BY a.id DESC LIMIT 1) t ON true;
    ELSE
        UPDATE alerts.delivery
        SET state = CASE WHEN state = 'sending' THEN 'pending' ELSE state END, sender_id = NULL, merged_into = NULL, is_held = true,
            next_attempt_at = CASE WHEN NEW.state = 'deferred' THEN NEW.next_attempt_at ELSE clock_timestamp() END
        WHERE merged_into = NEW.id AND state IN ('pending', 'deferred', 'sending');
        UPDATE alerts.delivery SET carries = 0, is_held = NEW.state IN ('pending', 'deferred') WHERE id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
