-- name: alerts
SELECT a.id, a.cap_status, a.msg_type, a.phase, a.level, a.kind, a.state, a.area_name, a.created_at, a.sent_at, a.submitted_by,
       a.approved_by, a.override_reason, a.standing_id, t.headline
FROM alerts.alert a
LEFT JOIN alerts.alert_text t ON t.alert_id = a.id AND t.language = 'ja'
WHERE (:state = '' OR a.state = :state)
  AND (:status = '' OR a.cap_status = :status)
  AND (:words = '' OR position(lower(:words) IN lower(concat(a.area_name, ' ', t.headline, ' ', t.event))) > 0)
ORDER BY a.created_at DESC, a.id DESC
LIMIT :most OFFSET :first
