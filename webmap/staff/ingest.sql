-- Sources at the desk, read as dept_disaster. Row policies keep private documents from all but moderators.

-- name: clock
SELECT leader, ticked_at, ticked_at < now() - make_interval(secs => :silence_s) AS is_silent FROM ingest.clock

-- name: runs
SELECT id, asked_by, started_at, ended_at, outcome, documents, added, changed, rejected, error
FROM ingest.run
WHERE source = :source AND id < coalesce(CAST(:before AS bigint), 9223372036854775807)
ORDER BY id DESC LIMIT :most

-- name: actions
SELECT a.action, a.document_id, a.reason, a.account, a.acted_at
FROM ingest.source_action a WHERE a.source = :source ORDER BY a.id DESC LIMIT :most

-- name: documents
SELECT d.id, d.source, d.origin, d.name, d.byte_size, d.is_truncated, d.is_private, d.received_at, d.parsed_at, d.erased_at,
       (SELECT count(*) FROM ingest.report r WHERE r.document_id = d.id) AS reports,
       (SELECT count(*) FROM ingest.dead_letter l WHERE l.document_id = d.id) AS rejected
FROM ingest.document d
WHERE (CAST(:source AS text) IS NULL OR d.source = :source)
  AND (CAST(:day AS date) IS NULL OR d.received_at >= CAST(:day AS date) AND d.received_at < CAST(:day AS date) + 1)
  AND d.id < coalesce(CAST(:before AS bigint), 9223372036854775807)
ORDER BY d.id DESC LIMIT :most

-- name: document
SELECT d.id, d.source, d.origin, d.name, d.sha256, d.byte_size, d.is_truncated, d.is_private,
       d.received_at, d.last_seen_at, d.parsed_at, d.erased_at
FROM ingest.document d WHERE d.id = :id

-- name: document_reports
-- Public columns only: what is private stands on the page of the incident, for moderators.
SELECT r.id, r.source_id, r.kind, r.status, r.action, r.reported_at, r.headline, r.concerns_town, r.incident_fid
FROM ingest.report r WHERE r.document_id = :id ORDER BY r.id LIMIT :most

-- name: document_letters
SELECT l.record, l.reason, l.created_at FROM ingest.dead_letter l WHERE l.document_id = :id ORDER BY l.id LIMIT :most

-- name: dead_letters
SELECT l.id, l.document_id, l.record, l.reason, l.created_at, d.source, d.origin, d.name, d.byte_size, d.is_truncated,
       d.erased_at
FROM ingest.dead_letter l
JOIN ingest.document d ON d.id = l.document_id
WHERE (CAST(:source AS text) IS NULL OR d.source = :source)
  AND (CAST(:day AS date) IS NULL OR l.created_at >= CAST(:day AS date) AND l.created_at < CAST(:day AS date) + 1)
  AND l.id < coalesce(CAST(:before AS bigint), 9223372036854775807)
ORDER BY l.id DESC
LIMIT :most

-- name: document_body
SELECT body FROM ingest.document WHERE id = :id
