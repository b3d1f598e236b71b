-- name: lose_open_runs
-- The lock is ours, so whoever began them is gone.
UPDATE ingest.run SET ended_at = now(), outcome = 'lost', error = 'the worker died in the middle'
WHERE source = :source AND ended_at IS NULL

-- name: open_runs
SELECT DISTINCT source FROM ingest.run WHERE ended_at IS NULL

-- name: note_lost
-- The next run that ends well clears it. What has a next run planned is left to that.
UPDATE ingest.source
SET last_run_at = now(), last_error = 'the worker died in the middle', consecutive_failures = consecutive_failures + 1,
    failing_since = coalesce(failing_since, now())
WHERE name = :source AND next_run_at IS NULL

-- name: note_failed
UPDATE ingest.source
SET last_run_at = greatest(last_run_at, :started_at), last_error = :error,
    consecutive_failures = consecutive_failures + 1, failing_since = coalesce(failing_since, now())
WHERE name = :source

-- name: begin_run
INSERT INTO ingest.run (source, asked_by) VALUES (:source, :asked_by) RETURNING id

-- name: source_state
-- Makes the row, too, so that a first run that fails has where to say it.
INSERT INTO ingest.source AS s (name) VALUES (:source)
ON CONFLICT (name) DO UPDATE SET name = excluded.name
RETURNING consecutive_failures, paused_at IS NOT NULL AS is_paused

-- name: end_run
UPDATE ingest.run
SET ended_at = now(), outcome = :outcome, documents = :documents, added = :added, changed = :changed,
    rejected = :rejected, error = :error
WHERE id = :id AND ended_at IS NULL

-- name: note_good
UPDATE ingest.source
SET last_run_at = greatest(last_run_at, :started_at), last_success_at = now(), last_error = NULL,
    consecutive_failures = 0, failing_since = NULL, circuit_opened_at = NULL
WHERE name = :source

-- name: note_bad
UPDATE ingest.source
SET last_run_at = greatest(last_run_at, :started_at), last_error = :error, consecutive_failures = :failures,
    failing_since = coalesce(failing_since, now()),
    circuit_opened_at = CASE WHEN :is_open THEN coalesce(circuit_opened_at, now()) END,
    next_run_at = :next_run_at
WHERE name = :source

-- name: prune_runs
DELETE FROM ingest.run WHERE started_at < now() - make_interval(days => :days)
