-- Run by psycopg: tables are identifiers.

-- name: dependants
SELECT h.fid, h.version, h.operation, c.id, c.account, c.role_name, c.reason, c.created_at
FROM unnest(%(fids)s::bigint[], %(versions)s::int[]) AS touched (fid, version)
JOIN {history} h ON h.fid = touched.fid AND h.version > touched.version
JOIN gis.changeset c ON c.id = h.changeset
WHERE h.changeset <> %(changeset)s
ORDER BY c.id, h.fid, h.version
