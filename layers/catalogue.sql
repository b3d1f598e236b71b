-- Run by psycopg where tables are identifiers.

-- name: summarise
SELECT count(*), max(updated_at), ST_XMin(ST_Extent(geom)), ST_YMin(ST_Extent(geom)), ST_XMax(ST_Extent(geom)), ST_YMax(ST_Extent(geom))
FROM (SELECT updated_at, geom FROM {layer} LIMIT %(most)s) AS counted

-- name: estimate
-- Rows per page of the last ANALYZE times the pages there are now; counted only when it never ran. The newest changeset
-- stands at the end of the history's index.
SELECT CASE WHEN c.reltuples > 0 AND c.relpages > 0
            THEN c.reltuples / c.relpages * pg_relation_size(c.oid) / current_setting('block_size')::int
            ELSE (SELECT count(*) FROM {layer}) END,
       (SELECT created_at FROM gis.changeset WHERE id = (SELECT max(changeset) FROM {history})),
       ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box)
FROM pg_class c, LATERAL (SELECT CASE WHEN c.reltuples > 0 THEN ST_EstimatedExtent('layers', {name}, 'geom') END AS box) AS extent
WHERE c.oid = format('layers.%I', {name}::text)::regclass

-- name: store_shipped
UPDATE gis.layer SET shipped = CAST(:shipped AS jsonb) WHERE name = :name AND shipped IS DISTINCT FROM CAST(:shipped AS jsonb)
