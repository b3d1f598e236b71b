-- name: quarters
-- Areas reach as far as they reach; points get their radius from their neighbours (ingest/gazetteer.py).
SELECT name, coalesce(sub_name, '') AS sub_name,
       coalesce(other_names, '') AS other_names, ST_X(middle) AS lon, ST_Y(middle) AS lat,
       CASE WHEN ST_Dimension(geom) = 2 THEN
           ST_MaxDistance(ST_Transform(geom, 3857), ST_Transform(middle, 3857)) * cos(radians(ST_Y(middle)))
       ELSE 0 END AS radius_m
FROM (SELECT name, sub_name, other_names, geom, ST_Centroid(geom) AS middle FROM layers.town_block WHERE geom IS NOT NULL) AS block
ORDER BY name, sub_name NULLS FIRST

-- name: has_quarters
SELECT EXISTS (SELECT FROM layers.town_block)

-- name: landmarks
-- Schools and halls, as far as they are places to flee to; each in the quarter around it, else in the nearest.
SELECT place.name, block.name AS quarter, ST_X(place.geom) AS lon, ST_Y(place.geom) AS lat
FROM (
    SELECT DISTINCT ON (name) name, ST_PointOnSurface(geom) AS geom
    FROM (SELECT name, geom FROM layers.shelter UNION ALL SELECT name, geom FROM layers.evacuation_site) AS named
    WHERE length(name) > 3 AND geom IS NOT NULL ORDER BY name
) AS place
CROSS JOIN LATERAL (
    SELECT b.name FROM layers.town_block b WHERE b.geom IS NOT NULL ORDER BY b.geom <-> place.geom LIMIT 1
) AS block
