-- name: note_waiting
INSERT INTO alerts.notice (alert_id, kind) VALUES (:alert_id, 'waiting') ON CONFLICT DO NOTHING

-- name: drop_overtaken
-- What no longer waits needs no mail any more.
UPDATE alerts.notice n SET mailed_at = clock_timestamp()
WHERE n.mailed_at IS NULL AND n.kind <> 'override'
  AND NOT EXISTS (SELECT FROM alerts.alert a WHERE a.id = n.alert_id
                  AND (a.state = 'submitted' OR n.kind = 'waiting' AND a.state = 'draft'))
  AND NOT EXISTS (SELECT FROM alerts.standing_approval s WHERE s.id = n.standing_id
                  AND s.approved_at IS NULL AND s.revoked_at IS NULL AND s.valid_until > clock_timestamp())

-- name: next_notice
SELECT n.id, n.alert_id, n.kind, n.created_at, coalesce(a.cap_status, 'Actual') AS cap_status, a.level, a.area_name,
       a.approved_by, a.submitted_by, a.created_by, a.override_reason, a.sent_at, t.headline,
       n.standing_id, s.telegram, s.occasion, s.levels, s.reason, s.proposed_by, s.valid_from, s.valid_until,
       ARRAY(SELECT gis.addresses_of('alert_approver')) AS addresses
FROM alerts.notice n
LEFT JOIN alerts.alert a ON a.id = n.alert_id
LEFT JOIN alerts.alert_text t ON t.alert_id = a.id AND t.language = 'ja'
LEFT JOIN alerts.standing_approval s ON s.id = n.standing_id
WHERE n.mailed_at IS NULL
ORDER BY n.kind = 'override' DESC, n.kind = 'proposed', n.id
LIMIT 1 FOR UPDATE OF n SKIP LOCKED

-- name: note_mailed
UPDATE alerts.notice SET mailed_at = clock_timestamp(), addresses = :addresses WHERE id = :id

-- name: has_unmailed
SELECT EXISTS (SELECT FROM alerts.notice WHERE mailed_at IS NULL)
