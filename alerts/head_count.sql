-- name: places
-- Places of confirmed subscribers who asked for the kind that the area reaches, by the same test as the recipients (matching.sql).
SELECT count(*) FROM alerts.alert a
CROSS JOIN LATERAL (SELECT alerts.to_plane(a.area, CAST(:plane_epsg AS int)) AS plane OFFSET 0) m
CROSS JOIN LATERAL alerts.places_inside(m.plane) p
JOIN alerts.subscriber s ON s.id = p.subscriber_id AND s.state = 'confirmed' AND a.kind = ANY (s.kinds)
WHERE a.id = :alert_id AND (a.cap_status = 'Actual' OR s.is_drill)
