-- name: list_alerts
SELECT a.id, a.cap_status, a.msg_type, a.phase, a.level, a.state, a.event, a.area_name, a.sent_at, a.effective_at,
       t.headline,
       (SELECT count(*) FROM alerts.delivery d WHERE d.alert_id = a.id AND d.channel = 'mail') AS people,
       (SELECT count(*) FROM alerts.delivery d WHERE d.alert_id = a.id AND d.channel = 'mail' AND d.state = 'accepted') AS accepted
FROM alerts.alert a
LEFT JOIN alerts.alert_text t ON t.alert_id = a.id AND t.language = 'ja'
ORDER BY a.id DESC
LIMIT :most

-- name: read_alert
SELECT a.id, a.identifier, a.cap_status, a.msg_type, a.phase, a.level, a.state, a.event, a.area_name, a.area_code,
       a.references_id, a.incident_fid, a.effective_at, a.sent_at, a.expires_at, a.submitted_by, a.approved_by,
       a.override_reason, a.standing_id, a.category, a.urgency, a.severity, a.certainty, a.onset_at, a.area_doubts, a.area_confirmed_by,
       t.headline,
       (SELECT addresses FROM alerts.notice n WHERE n.alert_id = a.id AND n.kind = 'override' AND mailed_at IS NOT NULL) AS told,
       (SELECT min(n.id) FROM alerts.alert n WHERE n.thread_id = coalesce(a.thread_id, a.id) AND n.references_id = a.id
          AND n.state NOT IN ('draft', 'submitted', 'discarded')) AS answer_id
FROM alerts.alert a
LEFT JOIN alerts.alert_text t ON t.alert_id = a.id AND t.language = 'ja'
WHERE a.id = :alert_id

-- name: read_steps
SELECT created_at, state, account, note, messages
FROM (SELECT created_at, state, account, note, NULL::int AS messages, id FROM alerts.alert_step WHERE alert_id = :alert_id
      UNION ALL
      SELECT created_at, 'resent', account, note, messages, id FROM alerts.resend WHERE alert_id = :alert_id) step
ORDER BY created_at, id

-- name: count_states
-- :alert_id NULL = all alerts.
SELECT d.state, count(*) AS messages, min(d.finished_at) AS first_at, max(d.finished_at) AS last_at,
       min(d.next_attempt_at) AS next_at
FROM alerts.delivery d
WHERE d.alert_id = coalesce(CAST(:alert_id AS bigint), d.alert_id)
GROUP BY d.state ORDER BY d.state

-- name: count_failures
-- Attempts that did not work, by the relay's own words; :alert_id NULL = all alerts.
SELECT t.outcome, t.relay, t.reply, count(*) AS attempts, count(DISTINCT t.delivery_id) AS messages,
       min(t.started_at) AS first_at, max(t.started_at) AS last_at
FROM alerts.attempt t
JOIN alerts.delivery d ON d.id = t.delivery_id
WHERE t.outcome <> 'accepted' AND d.alert_id = coalesce(CAST(:alert_id AS bigint), d.alert_id)
GROUP BY t.outcome, t.relay, t.reply
ORDER BY max(t.started_at) DESC
LIMIT :most

-- name: count_in_doubt
-- :alert_id NULL = all alerts.
SELECT count(DISTINCT t.delivery_id)
FROM alerts.attempt t JOIN alerts.delivery d ON d.id = t.delivery_id
WHERE t.in_doubt AND d.alert_id = coalesce(CAST(:alert_id AS bigint), d.alert_id)
