-- Run by psycopg: tables and columns are identifiers. Envelopes are made of bound numbers, so the planner sees constants.

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
