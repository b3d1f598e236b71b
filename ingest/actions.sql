-- name: act
INSERT INTO ingest.source_action (source, action, document_id, reason) VALUES (:source, :action, :document_id, :reason)

-- name: document_source
SELECT source, is_private, erased_at IS NOT NULL AS is_erased FROM ingest.document WHERE id = :id
