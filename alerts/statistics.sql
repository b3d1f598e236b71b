-- What a year's messages did, one row a message; the groups are made of these rows. Role: one that reads the alerts.

-- name: read_years
SELECT DISTINCT date_part('year', sent_at AT TIME ZONE 'Asia/Tokyo')::int AS year FROM alerts.alert
WHERE sent_at IS NOT NULL ORDER BY year DESC

-- name: read_messages
-- Mails only: a push repeats what a mail says. Seconds are NULL where a step was not taken (by a standing approval nobody
-- submits) or where fewer than 95 of 100 have been accepted.
WITH sent AS MATERIALIZED (
    SELECT a.id, a.kind, a.level, a.sent_at FROM alerts.alert a
    WHERE a.sent_at >= make_timestamptz(:year, 1, 1, 0, 0, 0, 'Asia/Tokyo')
      AND a.sent_at < make_timestamptz(:year + 1, 1, 1, 0, 0, 0, 'Asia/Tokyo')
      AND (a.cap_status = 'Actual') = :is_real
), delivered AS (
    SELECT d.alert_id, count(*) AS people, count(*) FILTER (WHERE d.state = 'accepted') AS accepted,
           min(d.finished_at) FILTER (WHERE d.state = 'accepted') AS first_at,
           nullif(percentile_disc(0.95) WITHIN GROUP (
               ORDER BY CASE WHEN d.state = 'accepted' THEN d.finished_at ELSE 'infinity' END), 'infinity') AS most_at
    FROM sent JOIN alerts.delivery d ON d.alert_id = sent.id AND d.channel = 'mail'
    GROUP BY d.alert_id
), stepped AS (
    SELECT s.alert_id, max(s.created_at) FILTER (WHERE s.state = 'submitted') AS submitted_at,
           max(s.created_at) FILTER (WHERE s.state = 'approved') AS approved_at
    FROM sent JOIN alerts.alert_step s ON s.alert_id = sent.id
    GROUP BY s.alert_id
)
SELECT to_char(sent.sent_at AT TIME ZONE 'Asia/Tokyo', 'MM') AS month, sent.kind, sent.level,
       coalesce(d.people, 0) AS people, coalesce(d.accepted, 0) AS accepted,
       extract(epoch FROM s.approved_at - s.submitted_at)::float8 AS approval_s,
       extract(epoch FROM d.first_at - sent.sent_at)::float8 AS first_s,
       extract(epoch FROM d.most_at - sent.sent_at)::float8 AS most_s
FROM sent
LEFT JOIN delivered d ON d.alert_id = sent.id
LEFT JOIN stepped s ON s.alert_id = sent.id
ORDER BY sent.id
