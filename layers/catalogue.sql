-- name: summarise
-- Run by psycopg: the table is an identifier.
SELECT feature_count, changed_at, ST_XMin(extent), ST_YMin(extent), ST_XMax(extent), ST_YMax(extent)
FROM (SELECT count(*) AS feature_count, max(updated_at) AS changed_at, ST_Extent(geom) AS extent FROM {layer}) AS summary

-- name: store_shipped
UPDATE gis.layer SET shipped = CAST(:shipped AS jsonb) WHERE name = :name AND shipped IS DISTINCT FROM CAST(:shipped AS jsonb)
