-- As in 0022; what a refused mail carried was refused with it: the refusal stands with the delivery that carries.
CREATE OR REPLACE FUNCTION alerts.resendable(wanted_alert bigint) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT d.id
    FROM alerts.delivery d
    JOIN alerts.alert a ON a.id = d.alert_id
    JOIN alerts.subscriber s ON s.id = d.subscriber_id
    WHERE d.alert_id = wanted_alert AND d.state IN ('failed', 'bounced')
      AND a.state IN ('sending', 'sent') AND clock_timestamp() < a.expires_at
      AND s.state = 'confirmed' AND (d.channel <> 'mail' OR d.address = s.email)
      AND (d.state = 'failed' OR EXISTS (SELECT FROM alerts.bounce b WHERE b.delivery_id = coalesce(d.merged_into, d.id) AND b.kind = 'soft'))
      AND NOT EXISTS (SELECT FROM alerts.bounce b WHERE b.delivery_id = coalesce(d.merged_into, d.id) AND b.kind <> 'soft')
      AND NOT EXISTS (SELECT FROM alerts.attempt t WHERE t.delivery_id = d.id AND t.outcome = 'accepted' AND d.state = 'failed')
$$;

-- As in 0025, but what is over stays with the mail that carried it when that one is opened again.
CREATE OR REPLACE FUNCTION alerts.carry_merged() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF NEW.state = 'sending' THEN
        UPDATE alerts.delivery SET state = 'sending', sender_id = NEW.sender_id, attempts = attempts + 1
        WHERE merged_into = NEW.id AND state IN ('pending', 'deferred');
    ELSIF NEW.state IN ('accepted', 'bounced', 'failed') THEN
        WITH carried AS (
            UPDATE alerts.delivery SET state = NEW.state, sender_id = NULL, is_held = false, finished_at = NEW.finished_at
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
