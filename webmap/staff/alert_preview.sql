-- name: status
SELECT cap_status, msg_type, phase, references_id FROM alerts.alert WHERE id = :id

-- name: as_sent
-- As its page will have it: sent now, in force.
SELECT id, cap_status, 'sent' AS state, level, phase, kind, area_code, area_name, now() AS sent_at, expires_at, web, incident_fid
FROM alerts.alert WHERE id = :id

-- name: texts
SELECT language, event, headline, description, instruction, short FROM alerts.alert_text WHERE alert_id = :id
