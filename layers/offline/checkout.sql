-- name: read_features
-- Run by psycopg. Features without a position leave with a box around the world only.
SELECT fid, version, ST_AsBinary(geom), {columns}
FROM {layer}
WHERE geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 6668)
  AND ST_Intersects(geom, ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 6668))
   OR geom IS NULL AND %(west)s <= -180 AND %(east)s >= 180
ORDER BY fid

-- name: note_checkout
INSERT INTO gis.checkout (id, layers, feature_count, due_on) VALUES (:id, :layers, :count, :due)
