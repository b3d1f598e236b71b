-- Run by psycopg: tables are identifiers.

-- name: readable
SELECT name FROM unnest(%(names)s::text[]) AS name
WHERE has_schema_privilege('history', 'USAGE') AND has_table_privilege('history.' || quote_ident(name), 'SELECT')

-- name: spans
SELECT fid, min(version), max(version) FROM {history} WHERE changeset = %(changeset)s AND fid > %(after)s
GROUP BY fid ORDER BY fid LIMIT %(limit)s::bigint
