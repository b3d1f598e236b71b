-- What /metrics counts, read as machimori_service: (label, number).

-- name: jobs
SELECT status::text, count(*) FROM queue.procrastinate_jobs GROUP BY status

-- name: deliveries
-- Mails by their state; what repeats them on another channel has its name before it: push.accepted.
SELECT CASE WHEN channel = 'mail' THEN state ELSE channel || '.' || state END AS label, count(*)
FROM alerts.delivery GROUP BY label

-- name: alerts
SELECT state, count(*) FROM alerts.alert GROUP BY state

-- name: incidents
SELECT state, count(*) FROM layers.incident GROUP BY state

-- name: dead_letters
SELECT d.source, count(*) FROM ingest.dead_letter l JOIN ingest.document d ON d.id = l.document_id GROUP BY d.source

-- name: source_ages
SELECT name, extract(epoch FROM now() - last_success_at) FROM ingest.source WHERE last_success_at IS NOT NULL

-- name: source_failures
SELECT name, consecutive_failures FROM ingest.source

-- name: source_alarms
SELECT c.cause, count(a.id)
FROM unnest(ARRAY['failing', 'silent', 'future', 'past', 'configuration']) AS c (cause)
LEFT JOIN ingest.alarm a ON a.cause = c.cause AND a.closed_at IS NULL
GROUP BY c.cause

-- name: clock_age
SELECT leader, extract(epoch FROM now() - ticked_at) FROM ingest.clock
