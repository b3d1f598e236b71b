-- name: shapes
-- The area of a message and the town, both in the town's plane (metres).
SELECT ST_AsBinary(alerts.to_plane(a.area, CAST(:plane_epsg AS int))) AS area,
       (SELECT ST_AsBinary(ST_Union(alerts.to_plane(c.geom, CAST(:plane_epsg AS int)))) FROM layers.city_area c WHERE c.code = :code) AS town
FROM alerts.alert a WHERE a.id = :id
