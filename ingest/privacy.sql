-- name: public_place
-- Cells of JIS X 0410: 250 m = 7.5″ × 11.25″, 500 m and 1 km twice and four times that, all counted from 0° N 0° E.
WITH place AS (
    SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 6668) AS point
),
candidate AS (
    SELECT 'mesh_' || size AS rule, size AS rank,
           ST_MakeEnvelope(floor(:lon * 3600 / width) * width / 3600, floor(:lat * 3600 / height) * height / 3600,
                           (floor(:lon * 3600 / width) + 1) * width / 3600, (floor(:lat * 3600 / height) + 1) * height / 3600,
                           6668) AS geom
    FROM (VALUES (250, 11.25::double precision, 7.5::double precision), (500, 22.5, 15), (1000, 45, 30)) AS mesh (size, width, height)
    UNION ALL
    SELECT 'quarter', 2000, b.geom FROM layers.town_block b, place
    WHERE ST_Dimension(b.geom) = 2 AND ST_Intersects(b.geom, place.point)
),
weighed AS (
    SELECT c.*, sqrt(ST_Area(geography(c.geom)) / pi()) AS radius_m,
           (SELECT coalesce(sum(a.households), 0) FROM layers.address a WHERE ST_Intersects(a.geom, c.geom)) AS households
    FROM candidate c
),
town AS (
    SELECT geom FROM layers.city_area WHERE code = :code
    UNION ALL
    SELECT ST_Multi(ST_MakeEnvelope(:min_lon, :min_lat, :max_lon, :max_lat, 6668))
    LIMIT 1
),
found AS (
    SELECT rule, rank, geom FROM weighed WHERE households >= :least AND radius_m >= CAST(:accuracy_m AS double precision)
    UNION ALL
    SELECT 'town', 9999, geom FROM town
    ORDER BY rank LIMIT 1
)
SELECT rule, ST_AsEWKB(geom) AS geom,
       ST_MaxDistance(ST_Transform(geom, 3857), ST_Transform(ST_Centroid(geom), 3857)) * cos(radians(:lat)) AS accuracy_m
FROM found
