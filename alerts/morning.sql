-- name: find_due
SELECT FROM alerts.delivery
WHERE is_held AND state IN ('pending', 'deferred') AND merged_into IS NULL AND next_attempt_at <= clock_timestamp()
LIMIT 1

-- name: lock_morning
SELECT pg_advisory_xact_lock(hashtextextended('alerts.morning', 0))

-- name: drop_held
-- What need not go out any more, and why.
WITH due AS MATERIALIZED (
    SELECT d.id, CASE
        WHEN s.state <> 'confirmed' THEN 'unsubscribed'
        WHEN a.state = 'cancelled' THEN 'cancelled'
        WHEN a.state = 'expired' OR a.expires_at < clock_timestamp() THEN 'expired'
        WHEN EXISTS (SELECT FROM alerts.alert t JOIN alerts.delivery n ON n.alert_id = t.id
                     WHERE t.thread_id = coalesce(a.thread_id, a.id) AND t.id > a.id
                       AND n.subscriber_id = d.subscriber_id AND n.channel = d.channel
                       AND n.state IN ('pending', 'deferred', 'sending', 'accepted')) THEN 'overtaken'
    END AS reason
    FROM alerts.delivery d JOIN alerts.alert a ON a.id = d.alert_id JOIN alerts.subscriber s ON s.id = d.subscriber_id
    WHERE d.is_held AND d.state IN ('pending', 'deferred') AND d.merged_into IS NULL AND d.next_attempt_at <= clock_timestamp()
)
UPDATE alerts.delivery d
SET state = CASE WHEN due.reason = 'expired' THEN 'expired' ELSE 'suppressed' END, reason = due.reason, is_held = false,
    finished_at = clock_timestamp()
FROM due WHERE d.id = due.id AND due.reason IS NOT NULL

-- name: merge_held
-- One mail per person and address, and one push: the gravest message, among equals the newest, carries the others. Drills stay by
-- themselves.
WITH due AS MATERIALIZED (
    SELECT d.id, first_value(d.id) OVER ranked AS lead_id, count(*) OVER person AS messages
    FROM alerts.delivery d JOIN alerts.alert a ON a.id = d.alert_id
    WHERE d.is_held AND d.state IN ('pending', 'deferred') AND d.merged_into IS NULL AND d.next_attempt_at <= clock_timestamp()
    WINDOW person AS (PARTITION BY d.subscriber_id, d.address, d.language, a.cap_status, d.channel),
           ranked AS (person ORDER BY a.level DESC, a.id DESC)
), merged AS (
    UPDATE alerts.delivery d
    SET is_held = d.id <> due.lead_id, merged_into = nullif(due.lead_id, d.id),
        carries = CASE WHEN d.id = due.lead_id THEN due.messages - 1 ELSE 0 END
    FROM due WHERE d.id = due.id
    RETURNING d.is_held
)
SELECT count(*) FILTER (WHERE NOT is_held) FROM merged
