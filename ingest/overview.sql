-- name: source_counts
WITH named AS (
    SELECT name FROM ingest.source UNION SELECT DISTINCT source FROM ingest.document
)
SELECT n.name, s.last_run_at, s.last_success_at, s.last_error,
       coalesce(s.consecutive_failures, 0) AS consecutive_failures,
       coalesce(s.last_success_at < now() - interval '10 minutes', false) AS is_late,
       (SELECT count(*) FROM ingest.document d WHERE d.source = n.name) AS documents,
       (SELECT count(*) FROM ingest.report r WHERE r.source = n.name) AS reports,
       (SELECT count(*) FROM ingest.dead_letter x JOIN ingest.document d ON d.id = x.document_id
        WHERE d.source = n.name) AS rejected
FROM named n LEFT JOIN ingest.source s USING (name)

-- name: dead_letters
SELECT d.id, d.source, d.name, x.record, x.reason, x.created_at
FROM ingest.dead_letter x JOIN ingest.document d ON d.id = x.document_id
ORDER BY x.id DESC LIMIT :limit
