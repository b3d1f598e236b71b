-- name: read_draft
SELECT id, state, phase, event, cap_status, area_name FROM alerts.alert WHERE id = :alert_id FOR SHARE

-- name: lock_draft
SELECT * FROM alerts.alert WHERE id = :alert_id FOR UPDATE

-- name: insert_draft
INSERT INTO alerts.alert (identifier, kind, cap_status, msg_type, phase, level, event, urgency, severity, certainty, area_name,
                          area, area_recipe, area_doubts, effective_at, onset_at, expires_at, is_written, about_incident, category, web)
VALUES (:identifier, :kind, :cap_status, 'Alert', 'issued', :level, :event, :urgency, :severity, :certainty, :area_name,
        ST_SetSRID(ST_GeomFromWKB(:area_wkb), 6668), CAST(:recipe AS jsonb), CAST(:doubts AS text[]),
        coalesce(CAST(:effective_at AS timestamptz), date_trunc('second', now())), :onset_at, :expires_at, true, :about_incident, :category, :web)
RETURNING id

-- name: insert_answer
-- In an incident's thread the source's facts and time stay those last told, so that the next telegram is judged by them.
INSERT INTO alerts.alert (identifier, thread_id, references_id, incident_fid, situation_id, kind, cap_status, msg_type, phase,
                          level, event, urgency, severity, certainty, facts, area_name, area_code, area, area_recipe,
                          effective_at, expires_at, is_written, about_incident, category, web)
SELECT :identifier, coalesce(a.thread_id, a.id), a.id, a.incident_fid, a.situation_id, a.kind, a.cap_status, :msg_type, :phase,
       a.level, a.event, :urgency, :severity, :certainty, a.facts, a.area_name, a.area_code, a.area, a.area_recipe,
       CASE WHEN a.incident_fid IS NULL THEN date_trunc('second', now()) ELSE a.effective_at END,
       :expires_at, true, a.about_incident, a.category, a.web
FROM alerts.alert a WHERE a.id = :alert_id
RETURNING id

-- name: copy_texts
INSERT INTO alerts.alert_text (alert_id, language, event, headline, description, instruction, short)
SELECT :to_id, language, event, headline, description, instruction, short FROM alerts.alert_text WHERE alert_id = :from_id

-- name: read_texts
SELECT language, event, headline, description, instruction, short FROM alerts.alert_text WHERE alert_id = :alert_id

-- name: update_draft
UPDATE alerts.alert
SET kind = :kind, level = :level, event = :event, urgency = :urgency, severity = :severity, certainty = :certainty,
    area_name = :area_name, onset_at = :onset_at, expires_at = :expires_at, category = :category, web = :web,
    effective_at = CASE WHEN incident_fid IS NULL THEN coalesce(CAST(:effective_at AS timestamptz), effective_at) ELSE effective_at END
WHERE id = :alert_id

-- name: update_area
UPDATE alerts.alert
SET area = ST_SetSRID(ST_GeomFromWKB(:area_wkb), 6668), area_recipe = CAST(:recipe AS jsonb),
    area_doubts = CAST(:doubts AS text[]), area_confirmed_by = :confirmed_by, area_code = ''
WHERE id = :alert_id

-- name: take_back
UPDATE alerts.alert SET state = 'draft' WHERE id = :alert_id AND state = 'submitted'

-- name: write_text
INSERT INTO alerts.alert_text (alert_id, language, event, headline, description, instruction, short)
VALUES (:alert_id, :language, :event, :headline, :description, :instruction, :short)
ON CONFLICT (alert_id, language) DO UPDATE
SET event = excluded.event, headline = excluded.headline, description = excluded.description, instruction = excluded.instruction,
    short = excluded.short
