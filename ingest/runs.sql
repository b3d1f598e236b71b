-- name: begin_run
INSERT INTO ingest.source (name, last_run_at) VALUES (:source, now())
ON CONFLICT (name) DO UPDATE SET last_run_at = now()
RETURNING last_success_at, etags

-- name: record_success
UPDATE ingest.source
SET last_success_at = now(), last_error = NULL, consecutive_failures = 0, etags = :validators
WHERE name = :source

-- name: record_failure
UPDATE ingest.source
SET last_error = :error, consecutive_failures = consecutive_failures + 1, etags = :validators
WHERE name = :source

-- name: record_progress
UPDATE ingest.source SET etags = :validators WHERE name = :source

-- name: progress
SELECT etags FROM ingest.source WHERE name = :source
