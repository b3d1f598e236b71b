-- name: insert_alert
-- No row comes back when there is no area.
INSERT INTO alerts.alert (identifier, thread_id, references_id, incident_fid, situation_id, kind, cap_status, msg_type,
                          phase, level, event, urgency, severity, certainty, facts, area_name, area_code, area, effective_at)
SELECT :identifier, (SELECT coalesce(p.thread_id, p.id) FROM alerts.alert p WHERE p.id = :references_id), :references_id,
       :incident_fid, :situation_id, :kind, :cap_status, :msg_type, :phase, :level, :event, :urgency, :severity, :certainty,
       CAST(:facts AS jsonb), area.name, area.code, area.geom, :effective_at
FROM (SELECT c.name, c.code, ST_Multi(c.geom) AS geom FROM layers.city_area c
      WHERE c.code = :town_code AND CAST(:area_from AS bigint) IS NULL
      UNION ALL
      SELECT a.area_name, a.area_code, a.area FROM alerts.alert a WHERE a.id = :area_from) area
ORDER BY ST_Area(area.geom) DESC LIMIT 1
RETURNING id

-- name: update_draft
UPDATE alerts.alert t
SET thread_id = (SELECT coalesce(p.thread_id, p.id) FROM alerts.alert p WHERE p.id = :references_id),
    references_id = :references_id, situation_id = :situation_id, msg_type = :msg_type, phase = :phase, level = :level,
    event = :event, urgency = :urgency, severity = :severity, certainty = :certainty, facts = CAST(:facts AS jsonb),
    area_name = area.name, area_code = area.code, area = area.geom, effective_at = :effective_at
FROM (SELECT c.name, c.code, ST_Multi(c.geom) AS geom FROM layers.city_area c
      WHERE c.code = :town_code AND CAST(:area_from AS bigint) IS NULL
      UNION ALL
      SELECT a.area_name, a.area_code, a.area FROM alerts.alert a WHERE a.id = :area_from) area
WHERE t.id = :alert_id AND t.state = 'draft'
RETURNING t.id

-- name: write_text
INSERT INTO alerts.alert_text (alert_id, language, event, headline, description, instruction)
VALUES (:alert_id, :language, :event, :headline, :description, :instruction)
ON CONFLICT (alert_id, language) DO UPDATE
SET event = excluded.event, headline = excluded.headline, description = excluded.description, instruction = excluded.instruction
