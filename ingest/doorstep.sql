-- name: ready
-- A source that never ran has no row yet, and waits for its first turn.
SELECT name FROM ingest.source WHERE name = ANY(:names) AND paused_at IS NULL AND consecutive_failures = 0
