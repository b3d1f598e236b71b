-- name: suspend_refusers
-- Addresses that refused so many alerts in a row for good, since the person last changed the subscription.
UPDATE alerts.subscriber s
SET state = 'suspended', updated_at = now()
FROM (
    SELECT b.subscriber_id
    FROM alerts.bounce b
    JOIN alerts.delivery d ON d.id = b.delivery_id
    JOIN alerts.subscriber p ON p.id = b.subscriber_id AND p.state = 'confirmed' AND b.created_at > p.updated_at
    WHERE b.kind = 'hard'
      -- A message is tried for a day at most (and may wait a night): one taken since was of an alert of these days.
      AND NOT EXISTS (SELECT FROM alerts.alert w JOIN alerts.delivery taken ON taken.alert_id = w.id
                      WHERE w.sent_at > b.created_at - interval '7 days'
                        AND taken.subscriber_id = b.subscriber_id AND taken.channel = 'mail' AND taken.state = 'accepted'
                        AND taken.finished_at > b.created_at)
    GROUP BY b.subscriber_id
    HAVING count(DISTINCT d.alert_id) >= :hard_refusals
) refuser
WHERE s.id = refuser.subscriber_id AND s.state = 'confirmed'

-- name: find_delivery
SELECT d.id, d.subscriber_id, d.address, d.alert_id FROM alerts.delivery d WHERE d.id = :delivery_id

-- name: note_bounce
INSERT INTO alerts.bounce (delivery_id, subscriber_id, kind, source, status, words)
VALUES (:delivery_id, :subscriber_id, :kind, 'report', :status, :words)
ON CONFLICT (delivery_id, kind, source) DO NOTHING

-- name: mark_bounced
-- What the relay had accepted came back.
WITH returned AS (
    UPDATE alerts.delivery SET state = 'bounced', finished_at = clock_timestamp()
    WHERE id = :delivery_id AND state IN ('accepted', 'deferred', 'pending')
    RETURNING id
)
INSERT INTO alerts.attempt (delivery_id, relay, outcome, reply)
SELECT id, :reporter, 'bounced', :words FROM returned

-- name: end_subscription
UPDATE alerts.subscriber SET state = 'unsubscribed', updated_at = now()
WHERE id = :subscriber_id AND state IN ('confirmed', 'suspended')

-- name: keep_unread
INSERT INTO alerts.bounce_unread (sha256, reason, head) VALUES (:sha256, :reason, :head) ON CONFLICT DO NOTHING
