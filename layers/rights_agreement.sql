-- What PostgreSQL allows on a layer's tables.

-- name: rights
-- What the tables' own lists of rights hold, of the layer, its numbers, its personal attributes and their histories;
-- column: a right to single columns, which nobody gives. A superuser's grant counts as the owner's.
SELECT c.oid::regclass::text AS table_name, coalesce(r.rolname, 'PUBLIC') AS role_name, lower(a.privilege_type) AS verb
FROM pg_class c
CROSS JOIN LATERAL (
    SELECT * FROM aclexplode(c.relacl)
    UNION ALL
    SELECT e.* FROM pg_attribute t, aclexplode(t.attacl) e WHERE t.attrelid = c.oid AND NOT t.attisdropped
) AS a
LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE c.oid IN (to_regclass(format('layers.%I', CAST(:layer AS text))), to_regclass(format('layers.%I', :layer || '_fid_seq')),
                to_regclass(format('layers.%I', :layer || '_personal')), to_regclass(format('history.%I', CAST(:layer AS text))),
                to_regclass(format('history.%I', :layer || '_personal')))
  AND a.grantee <> c.relowner

-- name: policies
SELECT c.relrowsecurity AS is_limited, coalesce(array_agg(p.polname::text) FILTER (WHERE p.polname IS NOT NULL), '{}') AS names
FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
WHERE c.oid = to_regclass(format('layers.%I', CAST(:layer AS text)))
GROUP BY c.relrowsecurity
