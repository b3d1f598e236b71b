-- name: read_situation
SELECT s.id, s.incident_fid, s.telegram, s.kind, s.status, s.phase, s.level, s.is_fresh, s.reported_at, s.office, s.facts,
       coalesce(i.publication, 'published') AS publication
FROM ingest.situation s LEFT JOIN layers.incident i ON i.fid = s.incident_fid
WHERE s.id = :situation_id

-- name: last_sent
SELECT id AS alert_id, situation_id, state, msg_type, phase, level, effective_at, facts, event
FROM alerts.alert
WHERE incident_fid = :incident_fid AND state IN ('approved', 'sending', 'sent', 'updated', 'cancelled', 'expired')
ORDER BY effective_at DESC, id DESC LIMIT 1

-- name: newest_waiting
-- What a person wrote is not counted: a telegram must neither write it over nor discard it.
SELECT id AS alert_id, situation_id, state, msg_type, phase, level, effective_at, facts, event
FROM alerts.alert
WHERE incident_fid = :incident_fid AND state IN ('draft', 'submitted') AND NOT is_written
ORDER BY id DESC LIMIT 1

-- name: is_decided
SELECT EXISTS (SELECT FROM alerts.decision WHERE situation_id = :situation_id)

-- name: record_decision
INSERT INTO alerts.decision (situation_id, step, reason, alert_id) VALUES (:situation_id, :step, :reason, :alert_id)

-- name: undecided_situations
-- The newest word on an incident, when nobody has decided about it half a minute after it came: its job was lost.
-- Older words need no decision any more, and what speaks of persons and waits for a moderator not yet.
SELECT newest.id, newest.incident_fid
FROM (SELECT DISTINCT ON (s.incident_fid) s.id, s.incident_fid, s.created_at
      FROM ingest.situation s ORDER BY s.incident_fid, s.reported_at DESC, s.id DESC) newest
WHERE newest.created_at < clock_timestamp() - interval '30 seconds'
  AND NOT EXISTS (SELECT FROM alerts.decision d WHERE d.situation_id = newest.id)
  AND NOT EXISTS (SELECT FROM layers.incident i JOIN ingest.situation s ON s.id = newest.id
                  JOIN ingest.report r ON r.id = s.report_id JOIN ingest.document d ON d.id = r.document_id
                  WHERE i.fid = newest.incident_fid AND i.publication = 'pending' AND d.is_private)
