-- name: store_document
INSERT INTO ingest.document AS old (source, origin, name, sha256, byte_size, body, is_truncated, is_private)
VALUES (:source, :origin, :name, :sha256, :byte_size, :body, :is_truncated, :is_private)
ON CONFLICT (source, sha256) DO UPDATE SET last_seen_at = now()
RETURNING old.id, old.parsed_at IS NOT NULL AS is_parsed,
    (SELECT reason FROM ingest.dead_letter x WHERE x.document_id = old.id AND x.record = '') AS reason

-- name: take_document
SELECT id, source, origin, name, body, byte_size, is_truncated, received_at, last_seen_at
FROM ingest.document WHERE id = :id AND parsed_at IS NULL FOR UPDATE

-- name: finish_document
UPDATE ingest.document SET parsed_at = now() WHERE id = :id

-- name: make_private
UPDATE ingest.document SET is_private = true WHERE id = :id AND NOT is_private

-- name: store_dead_letter
INSERT INTO ingest.dead_letter (document_id, record, reason) VALUES (:id, :record, :reason)
ON CONFLICT (document_id, record) DO UPDATE SET reason = excluded.reason

-- name: unparsed_documents
-- Citizens' reports last: a telegram that a crash left does not wait behind ten thousand of them.
SELECT id FROM ingest.document WHERE parsed_at IS NULL AND id <> ALL(:apart_from)
ORDER BY source = 'citizen', id LIMIT :most

-- name: known_names
SELECT DISTINCT d.name
FROM ingest.document d
LEFT JOIN ingest.dead_letter x ON x.document_id = d.id AND x.record = ''
WHERE d.source = :source AND d.name = ANY(:names)
  AND (x.id IS NULL OR d.received_at < now() - interval '1 hour')

-- name: forget_parsing
-- An erased body says nothing any more, and what waits is being worked on.
UPDATE ingest.document SET parsed_at = NULL WHERE id = :id AND parsed_at IS NOT NULL AND erased_at IS NULL
RETURNING id

-- name: forget_dead_letters
DELETE FROM ingest.dead_letter WHERE document_id = :id
