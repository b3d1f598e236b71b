-- name: find_role
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :login AND rolcanlogin)

-- name: granted
-- Tables of layers, and what the login may do with each; without a login everything but the personal tables.
SELECT c.relname AS table_name,
       CASE WHEN CAST(:login AS text) IS NULL THEN c.relname !~ '_personal$'
            ELSE has_schema_privilege(:login, 'layers', 'USAGE') AND has_table_privilege(:login, c.oid, 'SELECT')
       END AS may_read,
       CASE WHEN CAST(:login AS text) IS NULL THEN true
            ELSE has_table_privilege(:login, c.oid, 'INSERT') AND has_table_privilege(:login, c.oid, 'UPDATE')
       END AS may_edit
FROM pg_class c
WHERE c.relnamespace = 'layers'::regnamespace AND c.relkind = 'r'
