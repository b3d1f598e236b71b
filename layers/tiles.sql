-- name: render_tile
-- Run by psycopg: the table is an identifier. The envelope is made of bound numbers, so the planner sees a constant
-- and uses the GiST index of the twin; a CTE would hide it.
SELECT coalesce(ST_AsMVT(tile, %(layer)s, 4096, 'geom', 'fid'), '')
FROM (
    SELECT fid, ST_AsMVTGeom({geom}, ST_MakeEnvelope(%(left)s, %(bottom)s, %(right)s, %(top)s, 3857), 4096, 64, true) AS geom
           {columns}
    FROM {table}
    WHERE geom && ST_MakeEnvelope(%(left)s - %(margin_m)s, %(bottom)s - %(margin_m)s,
                                  %(right)s + %(margin_m)s, %(top)s + %(margin_m)s, 3857)
) AS tile
WHERE geom IS NOT NULL
