-- The desk of the disaster office, read as dept_disaster.

-- name: waiting
-- Drafts and submissions, the gravest first.
SELECT a.id, a.cap_status, a.phase, a.level, a.state, a.area_name, a.effective_at, a.submitted_by, t.event AS event_name, t.headline
FROM alerts.alert a
LEFT JOIN alerts.alert_text t ON t.alert_id = a.id AND t.language = 'ja'
WHERE a.state IN ('draft', 'submitted')
ORDER BY a.cap_status <> 'Actual', a.level DESC, a.id DESC
LIMIT 50

-- name: alerts
-- The latest alerts with their deliveries by state.
SELECT a.id, a.cap_status, a.phase, a.level, a.state, a.sent_at, a.approved_by, a.override_reason, a.standing_id, t.event AS event_name, t.headline,
       d.total, d.accepted, d.waiting, d.lost
FROM (SELECT * FROM alerts.alert WHERE state NOT IN ('draft', 'submitted', 'discarded') ORDER BY id DESC LIMIT 30) a
LEFT JOIN alerts.alert_text t ON t.alert_id = a.id AND t.language = 'ja'
CROSS JOIN LATERAL (
    SELECT count(*) AS total,
           count(*) FILTER (WHERE state = 'accepted') AS accepted,
           count(*) FILTER (WHERE state IN ('pending', 'sending', 'deferred')) AS waiting,
           count(*) FILTER (WHERE state IN ('bounced', 'failed', 'expired', 'suppressed')) AS lost
    -- A push repeats a mail: people are counted by their mails.
    FROM alerts.delivery WHERE alert_id = a.id AND channel = 'mail') d
ORDER BY a.id DESC

-- name: dead_letter_count
SELECT count(*) FROM ingest.dead_letter

-- name: moderation_count
SELECT count(*) FROM layers.incident WHERE (publication = 'pending' OR needs_review) AND publication <> 'merged'
