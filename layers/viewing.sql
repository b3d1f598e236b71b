-- Run by psycopg: tables and columns are identifiers. Fifteen decimals keep every digit of a stored coordinate: what a
-- person sends back without touching it is point for point the same.

-- name: features_in_box
SELECT f.fid, f.version, {personal_version}, ST_AsGeoJSON(f.geom, 15, 0){columns}
FROM {layer} AS f {personal}
WHERE f.geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 6668)
  AND ST_Intersects(f.geom, ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 6668))
   OR f.geom IS NULL
ORDER BY f.geom IS NULL, f.fid
LIMIT %(most)s

-- name: find_feature
SELECT f.fid, f.version, {personal_version}, ST_AsGeoJSON(f.geom, 15, 0){columns}
FROM {layer} AS f {personal}
WHERE f.fid = %(fid)s
