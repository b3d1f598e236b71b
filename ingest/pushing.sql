-- name: know_source
-- From its first push on its clock and its silence are watched.
INSERT INTO ingest.source (name) VALUES (:source) ON CONFLICT DO NOTHING

-- name: hold_key
-- A second request with the same key waits here until the first one is committed.
INSERT INTO ingest.push (source, idempotency_key, document_id) VALUES (:source, :key, :document_id)
ON CONFLICT DO NOTHING

-- name: held_key
SELECT document_id, status, answer FROM ingest.push WHERE source = :source AND idempotency_key = :key

-- name: keep_answer
-- The first answer stands, though two work at once.
UPDATE ingest.push SET status = coalesce(status, :status), answer = coalesce(answer, :answer)
WHERE source = :source AND idempotency_key = :key
RETURNING status, answer

-- name: rejections
SELECT record, reason FROM ingest.dead_letter WHERE document_id = :document_id ORDER BY id

-- name: reports
SELECT id FROM ingest.report WHERE source = :source AND source_id = ANY(:source_ids) ORDER BY id

-- name: forget
DELETE FROM ingest.push WHERE received_at < now() - make_interval(days => :days)
