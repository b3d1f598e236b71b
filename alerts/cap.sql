-- name: read_alert
-- The alert as the public may read it, with the message that it references.
SELECT a.id, a.identifier, a.cap_status, a.msg_type, a.phase, a.event, a.urgency, a.severity, a.certainty,
       a.effective_at, a.sent_at, a.expires_at, a.onset_at, a.facts, a.category, a.web, a.area_name, a.area_code,
       ST_AsBinary(a.geom) AS area_wkb,
       previous.identifier AS previous_identifier, previous.sent_at AS previous_sent_at
FROM open.alert a
LEFT JOIN open.alert previous ON previous.id = a.references_id
WHERE a.id = :alert_id

-- name: read_texts
SELECT language, event, headline, description, instruction FROM open.alert_text WHERE alert_id = :alert_id

-- name: preview_alert
-- A message that did not go out yet, as if it went out now. Role: one that reads the alerts.
SELECT a.id, a.identifier, a.cap_status, a.msg_type, a.phase, a.event, a.urgency, a.severity, a.certainty,
       a.effective_at, coalesce(a.sent_at, now()) AS sent_at, a.expires_at, a.onset_at, a.facts, a.category, a.web,
       a.area_name, a.area_code, ST_AsBinary(a.area) AS area_wkb, previous.identifier AS previous_identifier, previous.sent_at AS previous_sent_at
FROM alerts.alert a
LEFT JOIN alerts.alert previous ON previous.id = a.references_id
WHERE a.id = :alert_id

-- name: preview_texts
SELECT language, event, headline, description, instruction FROM alerts.alert_text WHERE alert_id = :alert_id
