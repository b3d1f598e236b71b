-- name: summarise
-- Run by psycopg: the table is an identifier.
SELECT feature_count, changed_at, ST_XMin(extent), ST_YMin(extent), ST_XMax(extent), ST_YMax(extent)
FROM (SELECT count(*) AS feature_count, max(updated_at) AS changed_at, ST_Extent(geom) AS extent FROM {layer}) AS summary

-- name: store
INSERT INTO gis.layer (name, definition, ddl_sha256) VALUES (:name, CAST(:definition AS jsonb), :ddl_sha256)
ON CONFLICT (name) DO UPDATE
SET definition = excluded.definition, ddl_sha256 = excluded.ddl_sha256, updated_at = now()
