-- The mails and pushes of one alert, read as dept_disaster.

-- name: delivery_counts
-- A push repeats a mail: people are counted by their mails.
SELECT state, language, count(*) AS people FROM alerts.delivery WHERE alert_id = :id AND channel = 'mail'
GROUP BY state, language ORDER BY state, language

-- name: deliveries
-- What failed first, then in order; the last reply of the relay beside each.
SELECT d.channel, d.address, d.language, d.place_names, d.state, d.reason, d.attempts, d.finished_at,
       (SELECT reply FROM alerts.attempt t WHERE t.delivery_id = d.id ORDER BY t.id DESC LIMIT 1) AS reply
FROM alerts.delivery d
WHERE d.alert_id = :id
ORDER BY d.state IN ('bounced', 'failed', 'deferred') DESC, d.id
LIMIT :most OFFSET :first
