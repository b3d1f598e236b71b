-- Run by psycopg: tables and columns are identifiers. Envelopes are made of bound numbers, so the planner sees constants.

-- name: box
ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 6668)

-- name: candidates
-- Which features may have been in the box: those that are in it now, and those displaced from it since.
SELECT fid FROM {table} WHERE geom && {box}
    UNION
    SELECT fid FROM {history} WHERE left_box && {box}

-- name: everything
SELECT DISTINCT fid FROM {history}

-- name: features_at
SELECT h.fid, h.version, {h_columns}
FROM ({candidates}) AS c
CROSS JOIN LATERAL (
    SELECT * FROM {history} WHERE fid = c.fid AND valid_from <= %(at)s ORDER BY version DESC LIMIT 1
) AS h
WHERE h.operation <> 'delete' AND {inside}
ORDER BY h.fid

-- name: render_tile_at
SELECT coalesce(ST_AsMVT(tile, %(layer)s, 4096, 'geom', 'fid'), '')
FROM (
    SELECT fid, ST_AsMVTGeom({geom}, ST_MakeEnvelope(%(left)s, %(bottom)s, %(right)s, %(top)s, 3857), 4096, 64, true) AS geom
           {columns}
    FROM (
        SELECT h.fid, gis.tile_geometry(h.geom) AS geom{h_columns}
        FROM ({candidates}) AS c
        CROSS JOIN LATERAL (
            SELECT * FROM {history} WHERE fid = c.fid AND valid_from <= %(at)s ORDER BY version DESC LIMIT 1
        ) AS h
        WHERE h.operation <> 'delete' AND {inside}{shown}
    ) AS stood
) AS tile
WHERE geom IS NOT NULL
