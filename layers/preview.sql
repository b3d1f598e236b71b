-- name: render_preview_tile
-- Run by psycopg: table and columns are identifiers. The box goes to degrees, so that the layer's own index serves.
SELECT coalesce(ST_AsMVT(tile, %(layer)s, 4096, 'geom', 'fid'), '')
FROM (
    SELECT fid, ST_AsMVTGeom(ST_Simplify(gis.tile_geometry(geom), %(tolerance_m)s, true),
                             ST_MakeEnvelope(%(left)s, %(bottom)s, %(right)s, %(top)s, 3857), 4096, 64, true) AS geom{columns}
    FROM {table}
    WHERE geom && ST_Transform(ST_MakeEnvelope(%(left)s - %(margin_m)s, %(bottom)s - %(margin_m)s,
                                               %(right)s + %(margin_m)s, %(top)s + %(margin_m)s, 3857), 6668)
) AS tile
WHERE geom IS NOT NULL
