-- name: first_change
-- Run by psycopg: the table is an identifier. The index on changeset finds the least at once.
SELECT created_at FROM gis.changeset WHERE id = (SELECT min(changeset) FROM {history})
