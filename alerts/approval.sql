-- name: read_alert
SELECT incident_fid FROM alerts.alert WHERE id = :alert_id

-- name: lock_alert
SELECT id, state, kind, event, phase, msg_type, incident_fid, thread_id, references_id, submitted_by, updated_at,
       expires_at <= clock_timestamp() AS is_past
FROM alerts.alert WHERE id = :alert_id FOR UPDATE

-- name: submit
UPDATE alerts.alert SET state = 'submitted', submitted_by = :account WHERE id = :alert_id

-- name: approve
-- The end is the one a person named, or by the event's rule. Whole seconds: CAP's times have no fractions, and references repeat `sent` exactly.
UPDATE alerts.alert
SET state = 'approved', approved_by = :account, override_reason = :override_reason, standing_id = :standing_id,
    sent_at = date_trunc('second', clock_timestamp()),
    expires_at = coalesce(expires_at, date_trunc('second', clock_timestamp()) + make_interval(hours => :valid_hours))
WHERE id = :alert_id

-- name: start_sending
UPDATE alerts.alert SET state = 'sending' WHERE id = :alert_id

-- name: discard
UPDATE alerts.alert SET state = 'discarded' WHERE id = :alert_id

-- name: retire
UPDATE alerts.alert SET state = :state WHERE id = :alert_id AND state IN ('sending', 'sent')

-- name: suppress_unsent
UPDATE alerts.delivery d SET state = 'suppressed', finished_at = now()
FROM alerts.alert a
WHERE d.alert_id = a.id AND (a.id = :thread_id OR a.thread_id = :thread_id) AND d.state IN ('pending', 'deferred')

-- name: lock_reference
SELECT state FROM alerts.alert WHERE id = :alert_id FOR UPDATE

-- name: read_words
SELECT language, concat_ws(' ', event, headline, description, instruction, short) AS words FROM alerts.alert_text WHERE alert_id = :alert_id
ORDER BY language

-- name: read_area
SELECT ST_IsEmpty(area) AS is_empty, area_name = '' AS is_nameless, area_doubts <> '{}' AND area_confirmed_by = '' AS is_doubtful
FROM alerts.alert WHERE id = :alert_id
