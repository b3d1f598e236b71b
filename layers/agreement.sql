-- name: count_differences
-- Run by psycopg: tables and columns are identifiers. A full join finds what is missing on either side.
SELECT count(*) FROM {layer} l FULL JOIN (
    SELECT * FROM (SELECT DISTINCT ON (fid) * FROM {history} ORDER BY fid, version DESC) last WHERE operation <> 'delete'
) h ON h.fid = l.fid
WHERE l.fid IS NULL OR h.fid IS NULL OR h.version <> l.version
   OR ROW(h.geom{kept_there}) IS DISTINCT FROM ROW(l.geom{kept_here})
