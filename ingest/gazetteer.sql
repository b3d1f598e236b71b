-- name: quarters
-- Areas reach as far as they reach; points get their radius from their neighbours (ingest/gazetteer.py).
SELECT name, coalesce(sub_name, '') AS sub_name, ST_X(middle) AS lon, ST_Y(middle) AS lat,
       CASE WHEN ST_Dimension(geom) = 2 THEN
           ST_MaxDistance(ST_Transform(geom, 3857), ST_Transform(middle, 3857)) * cos(radians(ST_Y(middle)))
       ELSE 0 END AS radius_m
FROM (SELECT name, sub_name, geom, ST_Centroid(geom) AS middle FROM layers.town_block WHERE geom IS NOT NULL) AS block
ORDER BY name, sub_name NULLS FIRST
