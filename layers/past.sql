-- Run by psycopg: tables and columns are identifiers. Envelopes are made of bound numbers, so the planner sees constants.

-- name: box
ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 6668)

-- name: everywhere
-- What stands unchanged since then is read from the layer; of what changed since, the version that had begun by then.
-- No feature is in both: the last version of each begins at its row's updated_at.
SELECT v.fid, v.version{columns} FROM {table} AS v WHERE v.updated_at <= %(at)s{shown}
UNION ALL
SELECT v.fid, v.version{columns}
FROM (
    SELECT fid FROM {table} WHERE updated_at > %(at)s
    UNION
    SELECT fid FROM {history} WHERE operation = 'delete' AND valid_from > %(at)s
) AS c
CROSS JOIN LATERAL (
    SELECT * FROM {history} WHERE fid = c.fid AND valid_from <= %(at)s ORDER BY valid_from DESC LIMIT 1
) AS v
WHERE v.operation <> 'delete'{shown}

-- name: in_box
-- As everywhere; what was in the box and changed since is in it now, or has left it since.
SELECT v.fid, v.version{columns} FROM {table} AS v WHERE v.geom && {box} AND v.updated_at <= %(at)s{shown}
UNION ALL
SELECT v.fid, v.version{columns}
FROM (
    SELECT fid FROM {table} WHERE geom && {box} AND updated_at > %(at)s
    UNION
    SELECT fid FROM {history} WHERE left_box && {box} AND valid_from > %(at)s
) AS c
CROSS JOIN LATERAL (
    SELECT * FROM {history} WHERE fid = c.fid AND valid_from <= %(at)s ORDER BY valid_from DESC LIMIT 1
) AS v
WHERE v.operation <> 'delete' AND v.geom && {box}{shown}

-- name: features_at
{stood}
ORDER BY fid

-- name: render_tile_at
SELECT coalesce(ST_AsMVT(tile, %(layer)s, 4096, 'geom', 'fid'), '')
FROM (
    SELECT fid, ST_AsMVTGeom({geom}, ST_MakeEnvelope(%(left)s, %(bottom)s, %(right)s, %(top)s, 3857), 4096, 64, true) AS geom
           {columns}
    FROM (SELECT fid, gis.tile_geometry(geom) AS geom{columns} FROM ({stood}) AS stood) AS drawn
) AS tile
WHERE geom IS NOT NULL
