-- name: note_waiting
INSERT INTO alerts.notice (alert_id, kind) VALUES (:alert_id, 'waiting') ON CONFLICT DO NOTHING

-- name: drop_overtaken
-- What no longer waits needs no mail any more.
UPDATE alerts.notice n SET mailed_at = clock_timestamp()
FROM alerts.alert a
WHERE a.id = n.alert_id AND n.kind = 'waiting' AND n.mailed_at IS NULL AND a.state NOT IN ('draft', 'submitted')

-- name: next_notice
SELECT n.id, n.alert_id, n.kind, n.created_at, a.cap_status, a.level, a.area_name, a.approved_by, a.created_by, a.override_reason,
       a.sent_at, t.headline, ARRAY(SELECT gis.addresses_of('alert_approver')) AS addresses
FROM alerts.notice n
JOIN alerts.alert a ON a.id = n.alert_id
LEFT JOIN alerts.alert_text t ON t.alert_id = a.id AND t.language = 'ja'
WHERE n.mailed_at IS NULL
ORDER BY n.kind = 'override' DESC, n.id
LIMIT 1 FOR UPDATE OF n SKIP LOCKED

-- name: note_mailed
UPDATE alerts.notice SET mailed_at = clock_timestamp(), addresses = :addresses WHERE id = :id

-- name: has_unmailed
SELECT EXISTS (SELECT FROM alerts.notice WHERE mailed_at IS NULL)
