-- The places of one subscription. Role: machimori_service.

-- name: own_places
-- One line per name and sort. Outlines are simplified by about 10 m: they are looked at, and nothing is decided by them.
SELECT array_agg(p.id ORDER BY p.id) AS ids, p.name, p.sort, p.radius_m,
       ST_AsGeoJSON(ST_SimplifyPreserveTopology(ST_Collect(p.shape), 0.0001), 6, 0) AS shape
FROM (
    SELECT p.id, p.name, p.radius_m,
           CASE WHEN z.id IS NULL THEN 'point' WHEN z.layer IS NULL THEN 'drawn' ELSE 'feature' END AS sort,
           CASE WHEN z.id IS NULL THEN p.position ELSE ST_Transform(z.shape, 6668) END AS shape
    FROM alerts.subscriber s
    JOIN alerts.place p ON p.subscriber_id = s.id
    LEFT JOIN alerts.zone z ON z.id = p.zone_id
    WHERE s.token = :token
) p
GROUP BY p.name, p.sort, p.radius_m
ORDER BY min(p.id)

-- name: remove_places
DELETE FROM alerts.place WHERE subscriber_id = :subscriber_id AND id = ANY(CAST(:ids AS bigint[])) RETURNING zone_id

-- name: remove_drawings
-- A drawing is one person's; features' zones stay, because others name them.
DELETE FROM alerts.zone z
WHERE z.id = ANY(CAST(:zones AS bigint[])) AND z.layer IS NULL AND NOT EXISTS (SELECT FROM alerts.place p WHERE p.zone_id = z.id)
