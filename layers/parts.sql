-- Run by psycopg: tables and columns are identifiers. Rows come as one array per column.

-- name: lock_rows
SELECT fid, version, {all_columns} FROM {table} WHERE fid = ANY(%(fids)s::bigint[]) ORDER BY fid FOR UPDATE

-- name: read_versions
SELECT h.fid, h.version, h.operation, {h_columns}
FROM unnest(%(fids)s::bigint[], %(versions)s::int[]) AS wanted (fid, version)
JOIN {history} h ON h.fid = wanted.fid AND h.version = wanted.version

-- name: last_versions
SELECT DISTINCT ON (h.fid) h.fid, h.version, h.operation, {h_columns}
FROM {history} h WHERE h.fid = ANY(%(fids)s::bigint[]) ORDER BY h.fid, h.version DESC

-- name: insert_rows
INSERT INTO {table} ({columns})
SELECT {values} FROM unnest({arrays}) WITH ORDINALITY AS v ({columns}, "row number") ORDER BY v."row number"
RETURNING fid, version

-- name: restore_rows
INSERT INTO {table} (fid, {columns})
SELECT v.fid, {values} FROM unnest(%(fids)s::bigint[], {arrays}) AS v (fid, {columns}) ORDER BY v.fid
RETURNING fid, version

-- name: update_rows
UPDATE {table} AS f SET {assignments}
FROM unnest(%(fids)s::bigint[], {arrays}) AS v (fid, {columns}) WHERE f.fid = v.fid
RETURNING f.fid, f.version

-- name: put_rows
INSERT INTO {table} (fid, {columns})
SELECT v.fid, {values} FROM unnest(%(fids)s::bigint[], {arrays}) AS v (fid, {columns}) ORDER BY v.fid
ON CONFLICT (fid) DO UPDATE SET {excluded}
RETURNING fid, version

-- name: delete_rows
DELETE FROM {table} WHERE fid = ANY(%(fids)s::bigint[]) RETURNING fid
