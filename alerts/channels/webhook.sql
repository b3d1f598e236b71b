-- name: write_calls
-- Every alert of the last day that went out after the receiver was written down.
INSERT INTO alerts.webhook_call (webhook_id, alert_id)
SELECT w.id, a.id
FROM alerts.alert a
JOIN alerts.webhook w ON w.is_active AND a.sent_at >= w.created_at AND (a.cap_status = 'Actual' OR w.takes_drills)
WHERE a.state IN ('sending', 'sent', 'updated', 'cancelled') AND a.sent_at > now() - interval '1 day'
ON CONFLICT (webhook_id, alert_id) DO NOTHING

-- name: drop_overtaken
-- Looked at before each call: what was cancelled or has ended since is told no more; the cancellation has its own call.
-- A row that another worker holds is on its way already.
UPDATE alerts.webhook_call c
SET state = 'expired', finished_at = clock_timestamp()
WHERE c.id IN (
    SELECT o.id FROM alerts.webhook_call o JOIN alerts.alert a ON a.id = o.alert_id
    WHERE o.state = 'pending' AND (a.state IN ('cancelled', 'expired') OR a.expires_at <= clock_timestamp())
    FOR UPDATE OF o SKIP LOCKED)

-- name: next_call
-- Oldest alert first; a receiver that did not take one gets no newer one before it.
SELECT c.id, c.attempts, w.url, w.secret, a.id AS alert_id, a.identifier, a.cap_status, a.msg_type, a.phase, a.level, a.kind,
       a.event, a.area_name, a.area_code, a.sent_at, a.expires_at,
       (SELECT jsonb_object_agg(t.language, t.headline) FROM alerts.alert_text t WHERE t.alert_id = a.id) AS headlines
FROM alerts.webhook_call c
JOIN alerts.webhook w ON w.id = c.webhook_id AND w.is_active
JOIN alerts.alert a ON a.id = c.alert_id
WHERE c.state = 'pending' AND c.next_attempt_at <= clock_timestamp()
  AND NOT EXISTS (SELECT FROM alerts.webhook_call o
                  WHERE o.webhook_id = c.webhook_id AND o.alert_id < c.alert_id AND o.state = 'pending')
ORDER BY c.alert_id LIMIT 1
FOR UPDATE OF c SKIP LOCKED

-- name: record_call
UPDATE alerts.webhook_call c
SET state = CASE WHEN :state = 'pending' AND a.sent_at < now() - interval '1 day' THEN 'expired' ELSE :state END,
    reply = :reply, attempts = c.attempts + 1,
    next_attempt_at = clock_timestamp() + make_interval(secs => :retry_s),
    finished_at = CASE WHEN :state <> 'pending' THEN clock_timestamp() END
FROM alerts.alert a
WHERE c.id = :id AND a.id = c.alert_id

-- name: count
SELECT alerts.count_receivers(a.cap_status) FROM alerts.alert a WHERE a.id = :alert_id
