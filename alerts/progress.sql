-- How far the sending of an alert is; numbers only.

-- name: read_progress
SELECT clock_timestamp() AS read_at, count(*) AS messages,
       count(*) FILTER (WHERE state = 'accepted') AS accepted,
       count(*) FILTER (WHERE state IN ('pending', 'deferred', 'sending') AND NOT is_held) AS open,
       count(*) FILTER (WHERE state IN ('pending', 'deferred') AND is_held) AS held,
       count(*) FILTER (WHERE state IN ('bounced', 'failed', 'expired')) AS failed,
       count(*) FILTER (WHERE state = 'accepted' AND finished_at > clock_timestamp() - interval '1 minute') AS in_last_minute,
       min(finished_at) FILTER (WHERE state = 'accepted') AS first_at,
       max(finished_at) FILTER (WHERE state = 'accepted') AS last_at
FROM alerts.delivery WHERE alert_id = :alert_id

-- name: count_domains
-- A domain of few addresses may be one family's name: those are counted together, as ''.
WITH counted AS (
    SELECT channel, CASE WHEN channel = 'mail' THEN domain ELSE '' END AS domain, count(*) AS messages,
           count(*) FILTER (WHERE state = 'accepted') AS accepted,
           count(*) FILTER (WHERE state IN ('pending', 'deferred', 'sending')) AS open,
           count(*) FILTER (WHERE state IN ('bounced', 'failed', 'expired')) AS failed,
           count(*) FILTER (WHERE state = 'suppressed') AS suppressed
    FROM alerts.delivery WHERE alert_id = :alert_id GROUP BY 1, 2
)
SELECT channel, CASE WHEN messages >= :fewest THEN domain ELSE '' END AS domain, sum(messages)::bigint AS messages,
       sum(accepted)::bigint AS accepted, sum(open)::bigint AS open, sum(failed)::bigint AS failed,
       sum(suppressed)::bigint AS suppressed
FROM counted GROUP BY 1, 2 ORDER BY channel, messages DESC, domain

-- name: count_replies
-- The last words about each delivery that has not arrived.
SELECT t.reply, count(*) AS messages
FROM alerts.delivery d
JOIN LATERAL (SELECT reply FROM alerts.attempt a WHERE a.delivery_id = d.id ORDER BY a.id DESC LIMIT 1) t ON true
WHERE d.alert_id = :alert_id AND d.state IN ('bounced', 'failed', 'deferred')
GROUP BY t.reply
