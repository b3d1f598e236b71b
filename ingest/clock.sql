-- name: plan_first
-- A source that is new to the schedule runs at its next moment.
INSERT INTO ingest.source AS s (name, next_run_at) VALUES (:source, :next_run_at)
ON CONFLICT (name) DO UPDATE SET next_run_at = excluded.next_run_at WHERE s.next_run_at IS NULL

-- name: due
SELECT name, next_run_at, now() AS at FROM ingest.source
WHERE name = ANY(:names) AND next_run_at <= now() AND paused_at IS NULL
ORDER BY next_run_at
FOR UPDATE

-- name: plan_next
UPDATE ingest.source SET next_run_at = :next_run_at WHERE name = :source

-- name: tick
INSERT INTO ingest.clock (leader) VALUES (:leader)
ON CONFLICT (is_one) DO UPDATE SET leader = excluded.leader, ticked_at = now()

-- name: clock_age
SELECT extract(epoch FROM now() - ticked_at)::float FROM ingest.clock

-- name: planned
SELECT name FROM ingest.source WHERE next_run_at IS NOT NULL
