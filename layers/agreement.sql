-- name: count_differences
-- Run by psycopg: tables and columns are identifiers. Full joins find what is missing on either side.
SELECT
    (SELECT count(*) FROM {layer} l FULL JOIN {tiles} t ON t.fid = l.fid
     WHERE l.fid IS NULL OR t.fid IS NULL
        OR ROW(t.geom{drawn_there}) IS DISTINCT FROM ROW(gis.tile_geometry(l.geom){drawn_here})),
    (SELECT count(*) FROM {layer} l FULL JOIN (
         SELECT * FROM (SELECT DISTINCT ON (fid) * FROM {history} ORDER BY fid, version DESC) last WHERE operation <> 'delete'
     ) h ON h.fid = l.fid
     WHERE l.fid IS NULL OR h.fid IS NULL OR h.version <> l.version
        OR ROW(h.geom{kept_there}) IS DISTINCT FROM ROW(l.geom{kept_here}))
