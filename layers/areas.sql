-- Run by psycopg: the view and what a feature is called are filled in. Only what everybody sees is asked.

-- name: places
SELECT fid, {name} FROM {open}
WHERE ST_Dimension(geom) = 2 AND {name} <> '' AND (strpos({name}, %(sought)s::text) > 0 OR fid = ANY(%(fids)s::bigint[]))
ORDER BY fid = ANY(%(fids)s::bigint[]) DESC, 2, 1
LIMIT %(most)s

-- name: area
SELECT array_agg({name} ORDER BY {name}), ST_AsGeoJSON(ST_Multi(ST_CollectionExtract(ST_Union(ST_MakeValid(geom)), 3)), 15, 0)
FROM {open}
WHERE ST_Dimension(geom) = 2 AND fid = ANY(%(fids)s::bigint[])
