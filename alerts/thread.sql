-- name: read_situation
SELECT id, incident_fid, telegram, kind, status, phase, level, is_fresh, reported_at, office, facts
FROM ingest.situation WHERE id = :situation_id

-- name: last_sent
SELECT id AS alert_id, situation_id, state, msg_type, phase, level, effective_at, facts, event
FROM alerts.alert
WHERE incident_fid = :incident_fid AND state IN ('approved', 'sending', 'sent', 'updated', 'cancelled', 'expired')
ORDER BY effective_at DESC, id DESC LIMIT 1

-- name: newest_waiting
SELECT id AS alert_id, situation_id, state, msg_type, phase, level, effective_at, facts, event
FROM alerts.alert
WHERE incident_fid = :incident_fid AND state IN ('draft', 'submitted')
ORDER BY id DESC LIMIT 1
