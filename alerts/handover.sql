-- The one statement around each message, in psycopg's own form (%(name)s).

-- name: settle
-- For all connections of a sender at once: record what became of the messages handed over, beat, and look up whether the
-- next ones may go out. Durable when it returns; only then does the next content leave.
-- A result counts even when the row was taken over meanwhile: what the relay accepted is not sent again.
-- The verdict is '' (go), the state that ends the message, 'pending' (back into the queue), or 'gone': another sender has it.
WITH beat AS (
    UPDATE alerts.sender
    SET beats_until = clock_timestamp() + make_interval(secs => %(beat_s)s), in_hand = %(in_hand)s::bigint[]
    WHERE id = %(sender_id)s
    RETURNING id
), result AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(outcomes)s::json)
        AS r (delivery_id bigint, started_at timestamptz, relay text, state text, reply text, retry_in_s float8,
              in_doubt boolean, kind text, status text, reason text)
), done AS (
    UPDATE alerts.delivery d
    SET state = r.state, reason = r.reason, sender_id = NULL,
        finished_at = CASE WHEN r.state <> 'deferred' THEN clock_timestamp() END,
        next_attempt_at = clock_timestamp() + make_interval(secs => r.retry_in_s)
    FROM result r
    WHERE d.id = r.delivery_id
      AND (d.state = 'sending' AND d.sender_id = %(sender_id)s
           OR r.state = 'accepted' AND d.state IN ('pending', 'deferred', 'sending', 'expired', 'suppressed'))
), noted AS (
    INSERT INTO alerts.attempt (delivery_id, started_at, relay, outcome, reply, in_doubt)
    SELECT r.delivery_id, r.started_at, r.relay, r.state, r.reply, r.in_doubt
    FROM result r
    WHERE NOT %(is_repeated)s OR NOT EXISTS (SELECT FROM alerts.attempt t
                                             WHERE t.delivery_id = r.delivery_id AND t.started_at = r.started_at)
), refused AS (
    INSERT INTO alerts.bounce (delivery_id, subscriber_id, kind, source, status, words)
    SELECT r.delivery_id, d.subscriber_id, r.kind, 'smtp', r.status, r.reply
    FROM result r JOIN alerts.delivery d ON d.id = r.delivery_id
    WHERE r.kind <> ''
    ON CONFLICT (delivery_id, kind, source) DO NOTHING
)
SELECT d.id, CASE
    WHEN d.state <> 'sending' OR d.sender_id <> %(sender_id)s OR NOT EXISTS (SELECT FROM beat) THEN 'gone'
    WHEN a.state = 'cancelled' OR s.state <> 'confirmed' THEN 'suppressed'
    WHEN a.state = 'expired'
         OR clock_timestamp() > least(a.expires_at, a.sent_at + make_interval(hours => %(retry_hours)s))
        THEN 'expired'
    WHEN EXISTS (SELECT FROM alerts.delivery n
                 WHERE n.subscriber_id = d.subscriber_id AND n.alert_id = ANY (%(thread_ids)s::bigint[]) AND n.alert_id > d.alert_id
                   AND n.channel = d.channel AND n.state = 'accepted')
        THEN 'suppressed'
    -- Something that this mail carries must not go out any more: all of them are put together anew.
    WHEN d.carries > 0 AND d.carries <> (
            -- OFFSET 0: by merged_into, never through all that is being sent.
            SELECT count(*) FROM (SELECT f.alert_id, f.state FROM alerts.delivery f WHERE f.merged_into = d.id OFFSET 0) f
            JOIN alerts.alert fa ON fa.id = f.alert_id
            WHERE f.state = 'sending' AND fa.state NOT IN ('cancelled', 'expired')
              AND clock_timestamp() <= fa.expires_at)
        THEN 'pending'
    ELSE '' END
FROM alerts.delivery d
JOIN alerts.alert a ON a.id = d.alert_id
JOIN alerts.subscriber s ON s.id = d.subscriber_id
WHERE d.id = ANY (%(next_ids)s::bigint[])

-- name: withhold
-- End claimed messages, or give them back, without an attempt.
UPDATE alerts.delivery d
SET state = w.state, sender_id = NULL, finished_at = CASE WHEN w.state <> 'pending' THEN clock_timestamp() END, attempts = attempts - 1
FROM unnest(%(ids)s::bigint[], %(states)s::text[]) AS w (id, state)
WHERE d.id = w.id AND d.state = 'sending' AND d.sender_id = %(sender_id)s
