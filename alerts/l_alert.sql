-- name: read_alert
-- A message as the public may read it.
SELECT a.id, a.identifier, a.cap_status, a.phase, a.level, a.event, a.sent_at, a.expires_at, a.area_name, a.area_code,
       ST_AsBinary(a.geom) AS area_wkb, previous.identifier AS previous_identifier
FROM open.alert a
LEFT JOIN open.alert previous ON previous.id = a.references_id
WHERE a.id = :alert_id

-- name: read_texts
SELECT language, event, headline, description, instruction FROM open.alert_text WHERE alert_id = :alert_id
