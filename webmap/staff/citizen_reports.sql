-- name: reports
SELECT c.id, c.kind, c.created_at, c.contact <> '' AS has_contact, c.is_proven, s.state, s.incident_fid,
       (SELECT count(*) FROM ingest.citizen_photo p WHERE p.report_id = c.id AND p.body IS NOT NULL) AS photos
FROM ingest.citizen_report c, ingest.citizen_report_state(c.id) s
WHERE c.id < coalesce(:before, 9223372036854775807)
ORDER BY c.id DESC LIMIT :most

-- name: report
SELECT c.*, s.state, s.incident_fid
FROM ingest.citizen_report c, ingest.citizen_report_state(c.id) s WHERE c.id = :id

-- name: of_incident
-- Those merged into it, too.
SELECT c.id FROM ingest.citizen_report c
JOIN ingest.report r ON r.source = 'citizen' AND r.source_id = c.reference || '\:1'
WHERE r.incident_fid = :fid
   OR r.incident_fid IN (SELECT m.incident_fid FROM ingest.merge m WHERE m.into_fid = :fid AND m.undone_at IS NULL)
ORDER BY c.id

-- name: words
SELECT r.id, r.action, r.reported_at, p.original, p.place_text, ST_X(p.position) AS lon, ST_Y(p.position) AS lat, p.accuracy_m
FROM ingest.report r JOIN ingest.report_private p ON p.report_id = r.id
WHERE r.source = 'citizen' AND r.event_key = 'citizen:' || :reference ORDER BY r.serial

-- name: photos
SELECT id, report_id, media_type, width, height, body IS NOT NULL AS is_kept, attachment, published_by
FROM ingest.citizen_photo WHERE report_id = :id ORDER BY id

-- name: photo
SELECT id, report_id, media_type, sha256, width, height, attachment, CASE WHEN :is_small THEN thumbnail ELSE body END AS body
FROM ingest.citizen_photo WHERE id = :id AND body IS NOT NULL

-- name: note_publication
UPDATE ingest.citizen_photo SET attachment = :attachment, published_by = :account WHERE id = :id

-- name: set_reason
UPDATE ingest.citizen_report SET public_reason = :reason WHERE id = :id

-- name: block
INSERT INTO ingest.citizen_block (sender_key, what, until_at, reason)
SELECT CASE :what WHEN 'network' THEN network_key ELSE device_key END, :what, now() + make_interval(hours => :hours), :reason
FROM ingest.citizen_report
WHERE id = :id AND CASE :what WHEN 'network' THEN network_key ELSE device_key END <> ''
RETURNING id

-- name: blocks
SELECT id, what, until_at, reason, blocked_by, blocked_at FROM ingest.citizen_block
WHERE until_at > now() AND lifted_at IS NULL ORDER BY until_at

-- name: lift
UPDATE ingest.citizen_block SET lifted_at = now(), lifted_by = :account WHERE id = :id AND lifted_at IS NULL
