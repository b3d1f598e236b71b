-- name: alert
SELECT * FROM alerts.alert WHERE id = :id

-- name: references
-- The CAP identifier of the message that this one answers.
SELECT r.identifier FROM alerts.alert a JOIN alerts.alert r ON r.id = a.references_id WHERE a.id = :id

-- name: texts
SELECT language, event, headline, description, instruction, short FROM alerts.alert_text WHERE alert_id = :id

-- name: places_inside
-- Places of confirmed subscribers that the area reaches, by the same test as the recipients (alerts/matching.sql).
SELECT count(*) FROM alerts.alert a
CROSS JOIN LATERAL (SELECT ST_Transform(a.area, CAST(:plane_epsg AS int)) AS plane) m
JOIN alerts.place p ON ST_Expand(p.plane, p.radius_m) && m.plane AND ST_DWithin(p.plane, m.plane, p.radius_m)
JOIN alerts.subscriber s ON s.id = p.subscriber_id AND s.state = 'confirmed'
WHERE a.id = :id AND (a.cap_status = 'Actual' OR s.is_drill)

-- name: inside
-- What lies inside that somebody should think of, as far as the public sees it.
SELECT 'shelter' AS layer, count(*) AS features FROM open.shelter l, alerts.alert a WHERE a.id = :id AND ST_Intersects(l.geom, a.area)
UNION ALL
SELECT 'evacuation_site', count(*) FROM open.evacuation_site l, alerts.alert a WHERE a.id = :id AND ST_Intersects(l.geom, a.area)
