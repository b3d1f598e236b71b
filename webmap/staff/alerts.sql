-- One alert at the desk, read as dept_disaster.

-- name: alert
SELECT id, identifier, thread_id, references_id, incident_fid, kind, cap_status, msg_type, phase, level, area_name, state,
       effective_at, sent_at, expires_at, submitted_by, approved_by, created_by, created_at, is_written, area_doubts, area_confirmed_by,
       override_reason, standing_id, updated_at,
       (SELECT min(n.id) FROM alerts.alert n WHERE n.thread_id = coalesce(a.thread_id, a.id) AND n.references_id = a.id
          AND n.state NOT IN ('draft', 'submitted', 'discarded')) AS answer_id,
       (SELECT addresses FROM alerts.notice n WHERE n.alert_id = a.id AND n.kind = 'override' AND mailed_at IS NOT NULL) AS told
FROM alerts.alert a
WHERE id = :id

-- name: texts
SELECT language, event, headline, description, instruction, short FROM alerts.alert_text WHERE alert_id = :id

-- name: area_feature
SELECT json_build_object('type', 'FeatureCollection', 'features', json_build_array(json_build_object(
           'type', 'Feature', 'id', id, 'geometry', ST_AsGeoJSON(area, 6, 0)::json,
           'properties', json_build_object('level', level, 'status', cap_status))))::text
FROM alerts.alert
WHERE id = :id
