-- name: read_health
SELECT relay, is_open, failures, reason, extract(epoch FROM retry_at - clock_timestamp())::float8 AS pause_s
FROM alerts.relay_health

-- name: write_health
INSERT INTO alerts.relay_health (relay, is_open, failures, reason, retry_at)
VALUES (:relay, :is_open, :failures, :reason, clock_timestamp() + make_interval(secs => :pause_s))
ON CONFLICT (relay) DO UPDATE
SET is_open = excluded.is_open, failures = excluded.failures, reason = excluded.reason, retry_at = excluded.retry_at,
    changed_at = clock_timestamp()
