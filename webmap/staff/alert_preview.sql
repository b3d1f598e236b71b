-- name: status
SELECT cap_status FROM alerts.alert WHERE id = :id

-- name: texts
SELECT language, event, headline, description, instruction, short FROM alerts.alert_text WHERE alert_id = :id
