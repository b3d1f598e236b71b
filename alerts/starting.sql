-- name: situation_of
SELECT id FROM ingest.situation
WHERE incident_fid = :incident_fid AND (CAST(:report_id AS bigint) IS NULL OR report_id = :report_id)
ORDER BY reported_at DESC, id DESC LIMIT 1

-- name: alert
SELECT kind, event, level, cap_status, urgency, severity, certainty, category, web, area_name, area_recipe,
       coalesce(about_incident, incident_fid) AS about
FROM alerts.alert WHERE id = :alert_id

-- name: texts
SELECT language, event, headline, description, instruction, short FROM alerts.alert_text WHERE alert_id = :alert_id

-- name: public_incident
-- What the public may read, also of persons: nothing else is put into a message.
SELECT coalesce(i.headline, '') AS headline, coalesce(i.description, '') AS description, coalesce(i.place_name, '') AS place_name,
       coalesce(ST_Dimension(i.geom) = 2, false) AS is_area, i.geom IS NOT NULL AND NOT ST_IsEmpty(i.geom) AS has_shape
FROM open.incident i WHERE i.fid = :fid
