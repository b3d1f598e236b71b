-- name: thread_alerts
-- The alerts of a thread, oldest first: nobody gets an older message after a newer one.
SELECT t.id FROM alerts.alert t
JOIN alerts.alert m ON m.id = :alert_id AND (t.id = coalesce(m.thread_id, m.id) OR t.thread_id = coalesce(m.thread_id, m.id))
WHERE t.state NOT IN ('draft', 'submitted', 'discarded')
ORDER BY t.id

-- name: claim
-- Lease a batch. A row waits while an older message to the same person is still to be sent, and is free again when
-- its lease ran out because the worker died.
WITH due AS (
    SELECT d.id
    FROM alerts.delivery d
    WHERE d.alert_id = :alert_id AND d.state IN ('pending', 'deferred', 'sending')
      AND d.next_attempt_at <= clock_timestamp()
      AND (d.state <> 'sending' OR d.leased_until < clock_timestamp())
      AND NOT EXISTS (
          SELECT FROM alerts.delivery o
          WHERE o.subscriber_id = d.subscriber_id AND o.alert_id = ANY (:older_ids)
            AND (o.state = 'pending' OR o.state = 'sending' AND o.leased_until >= clock_timestamp()))
    ORDER BY d.next_attempt_at
    LIMIT :batch_size
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE alerts.delivery d
SET state = 'sending', attempts = d.attempts + 1, leased_until = clock_timestamp() + make_interval(secs => :lease_s)
FROM due, alerts.subscriber s
WHERE d.id = due.id AND s.id = d.subscriber_id
RETURNING d.id, d.alert_id, d.address, d.language, d.place_names, d.nearest_sites, d.attempts, s.token,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(e.alert_id, e.id) ORDER BY e.alert_id), '[]')
     FROM alerts.delivery e
     WHERE e.subscriber_id = d.subscriber_id AND e.alert_id = ANY (:older_ids) AND e.state = 'accepted') AS earlier

-- name: release
UPDATE alerts.delivery SET state = 'pending', leased_until = NULL, attempts = attempts - 1
WHERE id = ANY (:delivery_ids) AND state = 'sending'

-- name: defer_all
-- No relay: everything that is due of this alert, and what this worker had claimed, waits; each for its own time.
WITH waiting AS (
    SELECT id, attempts + (state <> 'sending')::int AS attempts
    FROM alerts.delivery
    WHERE alert_id = :alert_id AND state IN ('pending', 'deferred', 'sending')
      AND (id = ANY (:claimed_ids)
           OR next_attempt_at <= clock_timestamp() AND (state <> 'sending' OR leased_until < clock_timestamp()))
    FOR UPDATE SKIP LOCKED
), deferred AS (
    UPDATE alerts.delivery d
    SET state = 'deferred', attempts = w.attempts, leased_until = NULL,
        next_attempt_at = clock_timestamp() + make_interval(secs => least(:longest_s, :first_s * 2 ^ least(w.attempts - 1, 20)))
    FROM waiting w WHERE d.id = w.id
    RETURNING d.id
)
INSERT INTO alerts.attempt (delivery_id, relay, outcome, reply)
SELECT id, :relay, 'deferred', :reply FROM deferred

-- name: close_alert
-- The last delivery is done.
UPDATE alerts.alert SET state = 'sent'
WHERE id = :alert_id AND state = 'sending'
  AND NOT EXISTS (SELECT FROM alerts.delivery d
                  WHERE d.alert_id = :alert_id AND d.state IN ('pending', 'deferred', 'sending'))

-- name: expire_alerts
UPDATE alerts.alert SET state = 'expired' WHERE state IN ('sending', 'sent') AND expires_at < clock_timestamp()

-- name: alerts_to_send
-- What nobody is working on: due or abandoned deliveries, and alerts whose closing was missed.
SELECT a.id FROM alerts.alert a
WHERE EXISTS (SELECT FROM alerts.delivery d
              WHERE d.alert_id = a.id AND d.state IN ('pending', 'deferred', 'sending')
                AND d.next_attempt_at <= clock_timestamp()
                AND (d.state <> 'sending' OR d.leased_until < clock_timestamp()))
   OR a.state = 'sending' AND NOT EXISTS (SELECT FROM alerts.delivery d
                                          WHERE d.alert_id = a.id AND d.state IN ('pending', 'deferred', 'sending'))
ORDER BY a.id

-- name: read_letter
SELECT t.language, t.event, t.headline, t.description, t.instruction, a.sent_at
FROM alerts.alert a JOIN alerts.alert_text t ON t.alert_id = a.id
WHERE a.id = :alert_id AND t.language = :language
