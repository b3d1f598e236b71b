-- name: households
-- Cells of JIS X 0410 are closed in the west and south, so that each address is in one.
SELECT CAST(floor(ST_X(geom) * 3600 / :width) AS int) AS "column", CAST(floor(ST_Y(geom) * 3600 / :height) AS int) AS row,
       coalesce(town, '') AS quarter, CAST(sum(households) AS int) AS households
FROM layers.address
WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 6668)
  AND ST_X(geom) < :east AND ST_Y(geom) < :north
GROUP BY 1, 2, 3

-- name: quarters_around
-- The quarters that hold a place, the smallest first, with their households by the 1 km cell they live in.
SELECT b.name, ST_AsEWKB(b.geom) AS geom, sqrt(ST_Area(geography(b.geom)) / pi()) AS reach_m,
       ST_MaxDistance(ST_Transform(b.geom, 3857), ST_Transform(ST_Centroid(b.geom), 3857))
           * cos(radians(ST_Y(ST_Centroid(b.geom)))) AS radius_m,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('column', x, 'row', y, 'households', n)), '[]')
        FROM (SELECT CAST(floor(ST_X(a.geom) * 80) AS int) AS x, CAST(floor(ST_Y(a.geom) * 120) AS int) AS y,
                     sum(a.households) AS n
              FROM layers.address a WHERE ST_Covers(b.geom, a.geom) GROUP BY 1, 2) AS lived_in) AS cells
FROM layers.town_block b
WHERE ST_Dimension(b.geom) = 2 AND ST_Intersects(b.geom, ST_SetSRID(ST_MakePoint(:lon, :lat), 6668))
ORDER BY ST_Area(b.geom), b.fid

-- name: named_quarters
-- Quarters as a whole (or all their parts together) by name; known: how many of the names have an area.
WITH named AS (
    SELECT name, ST_Union(geom) AS geom FROM layers.town_block
    WHERE name = ANY(:names) AND ST_Dimension(geom) = 2 GROUP BY name
),
whole AS (SELECT count(*) AS known, ST_Union(geom) AS geom FROM named)
SELECT known, ST_AsEWKB(geom) AS geom,
       (SELECT coalesce(sum(a.households), 0) FROM layers.address a WHERE ST_Covers(whole.geom, a.geom)) AS households,
       ST_MaxDistance(ST_Transform(geom, 3857), ST_Transform(ST_Centroid(geom), 3857))
           * cos(radians(ST_Y(ST_Centroid(geom)))) AS radius_m
FROM whole

-- name: town
WITH town AS (
    SELECT geom FROM layers.city_area WHERE code = :code
    UNION ALL
    SELECT ST_Multi(ST_MakeEnvelope(:min_lon, :min_lat, :max_lon, :max_lat, 6668))
    LIMIT 1
)
SELECT ST_AsEWKB(geom) AS geom,
       ST_MaxDistance(ST_Transform(geom, 3857), ST_Transform(ST_Centroid(geom), 3857))
           * cos(radians(ST_Y(ST_Centroid(geom)))) AS radius_m
FROM town
