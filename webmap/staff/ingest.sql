-- Dead letters for the desk, read as dept_disaster.

-- name: dead_letters
SELECT l.id, l.document_id, l.record, l.reason, l.created_at, d.source, d.origin, d.name, d.byte_size, d.is_truncated
FROM ingest.dead_letter l
JOIN ingest.document d ON d.id = l.document_id
WHERE l.id < coalesce(CAST(:before AS bigint), 9223372036854775807)
ORDER BY l.id DESC
LIMIT :most

-- name: document_body
SELECT body FROM ingest.document WHERE id = :id
