-- name: texts
SELECT language, event, headline, description, instruction FROM alerts.alert_text WHERE alert_id = :id
