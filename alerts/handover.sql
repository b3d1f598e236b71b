-- The statements of each single message, in psycopg's own form (%(name)s).

-- name: verdict
-- Whether a claimed message may still go out, looked up right before it is sent: '' or the state that ends it.
SELECT CASE
    WHEN a.state = 'cancelled' OR s.state <> 'confirmed' THEN 'suppressed'
    WHEN a.state = 'expired' OR clock_timestamp() > least(a.expires_at, a.sent_at + make_interval(hours => %(retry_hours)s))
        THEN 'expired'
    WHEN EXISTS (SELECT FROM alerts.delivery n
                 WHERE n.subscriber_id = d.subscriber_id AND n.alert_id = ANY (%(newer_ids)s) AND n.state = 'accepted')
        THEN 'suppressed'
    ELSE '' END
FROM alerts.delivery d
JOIN alerts.alert a ON a.id = d.alert_id
JOIN alerts.subscriber s ON s.id = d.subscriber_id
WHERE d.id = %(delivery_id)s

-- name: finish
-- Record what became of a message: its state, and the attempt with the relay's own words.
WITH done AS (
    UPDATE alerts.delivery
    SET state = %(state)s, leased_until = NULL,
        finished_at = CASE WHEN %(state)s = 'deferred' THEN NULL ELSE clock_timestamp() END,
        next_attempt_at = clock_timestamp() + make_interval(secs => %(retry_in_s)s)
    WHERE id = %(delivery_id)s AND state = 'sending'
    RETURNING id
)
INSERT INTO alerts.attempt (delivery_id, started_at, relay, outcome, reply)
SELECT id, %(started_at)s, %(relay)s, %(state)s, %(reply)s FROM done

-- name: withhold
-- End a claimed message without an attempt.
UPDATE alerts.delivery SET state = %(state)s, leased_until = NULL, finished_at = clock_timestamp(), attempts = attempts - 1
WHERE id = %(delivery_id)s AND state = 'sending'
