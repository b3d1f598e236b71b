-- name: freeze
-- A second message for everybody of this alert who has a device: as the mail's, to wait as long as that one.
-- The address says whose; the endpoints are looked up when it is sent, so a device that was given up gets nothing.
INSERT INTO alerts.delivery (alert_id, subscriber_id, channel, address, language, place_names, nearest_sites, is_held, next_attempt_at)
SELECT d.alert_id, d.subscriber_id, 'push', d.subscriber_id || '@push', d.language, d.place_names, d.nearest_sites, d.is_held, d.next_attempt_at
FROM alerts.delivery d
WHERE d.alert_id = :alert_id AND d.channel = 'mail'
  AND EXISTS (SELECT FROM alerts.push_device v WHERE v.subscriber_id = d.subscriber_id AND v.gone_at IS NULL)
ORDER BY d.subscriber_id
ON CONFLICT (alert_id, subscriber_id, channel) DO NOTHING

-- name: has_due
SELECT FROM alerts.delivery d
WHERE d.alert_id = ANY (:alert_ids) AND d.channel = 'push' AND d.state IN ('pending', 'deferred')
  AND d.next_attempt_at <= clock_timestamp()
LIMIT 1

-- name: count
-- The devices of whom a message would reach.
SELECT d.language, count(*) AS devices
FROM ({recipients}) r JOIN alerts.push_device d ON d.subscriber_id = r.subscriber_id AND d.gone_at IS NULL
GROUP BY d.language

-- name: read_alerts
-- What the messages of some alerts share, per language, and how long each holds by the database's clock.
SELECT a.id, t.language, t.headline, t.instruction, t.description, t.short, a.level, a.msg_type, coalesce(a.thread_id, a.id) AS thread_id,
       extract(epoch FROM least(a.expires_at, a.sent_at + make_interval(hours => :retry_hours)) - clock_timestamp())::float8 AS ttl_s
FROM alerts.alert a JOIN alerts.alert_text t ON t.alert_id = a.id
WHERE a.id = ANY (:alert_ids)

-- name: read_devices
-- The devices that are still to get each of some deliveries, or something that it carries.
SELECT d.id AS delivery_id, v.id, v.endpoint, v.p256dh, v.auth, v.language
FROM alerts.delivery d JOIN alerts.push_device v ON v.subscriber_id = d.subscriber_id AND v.gone_at IS NULL
WHERE d.id = ANY (:delivery_ids)
  AND EXISTS (SELECT FROM (SELECT d.id UNION ALL SELECT c.id FROM alerts.delivery c WHERE c.merged_into = d.id) m
              WHERE NOT EXISTS (SELECT FROM alerts.push_receipt r WHERE r.delivery_id = m.id AND r.device_id = v.id))
ORDER BY d.id, v.id

-- name: read_devices_of
SELECT v.id, v.endpoint, v.p256dh, v.auth, v.language
FROM alerts.push_device v JOIN alerts.subscriber s ON s.id = v.subscriber_id
WHERE s.email = :email AND v.gone_at IS NULL ORDER BY v.id

-- name: has_receipt
SELECT FROM alerts.push_receipt WHERE delivery_id = :delivery_id LIMIT 1

-- name: note_receipts
INSERT INTO alerts.push_receipt (delivery_id, device_id)
SELECT d.id, v.id FROM alerts.push_device v, alerts.delivery d
WHERE v.id = ANY (:device_ids) AND (d.id = :delivery_id OR d.merged_into = :delivery_id)
ON CONFLICT (delivery_id, device_id) DO NOTHING

-- name: note_gone
UPDATE alerts.push_device SET gone_at = clock_timestamp(), gone_words = :words
WHERE id = :id AND endpoint = :endpoint AND p256dh = :p256dh AND gone_at IS NULL
