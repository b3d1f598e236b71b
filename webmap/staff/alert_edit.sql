-- name: alert
SELECT * FROM alerts.alert WHERE id = :id

-- name: references
-- The CAP identifier of the message that this one answers.
SELECT r.identifier FROM alerts.alert a JOIN alerts.alert r ON r.id = a.references_id WHERE a.id = :id

-- name: texts
SELECT language, event, headline, description, instruction, short FROM alerts.alert_text WHERE alert_id = :id
