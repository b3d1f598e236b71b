-- name: measure
-- Run by psycopg. Features and bytes that a check-out of this box would hold of a layer.
SELECT count(*), coalesce(sum(pg_column_size(feature.*)), 0)
FROM {layer} AS feature
WHERE geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 6668)

-- name: list_out
SELECT id, account, role_name, layers, feature_count, taken_at, due_on, returned_at,
       returned_at IS NULL AND due_on < current_date AS is_overdue
FROM gis.checkout
WHERE returned_at IS NULL OR returned_at > now() - interval '1 month'
ORDER BY taken_at DESC
LIMIT 200

-- name: keep_file
INSERT INTO gis.checkin_file (checkout_id, name, body) VALUES (:id, :name, :body)
ON CONFLICT (checkout_id, role_name) DO UPDATE
SET name = excluded.name, body = excluded.body, uploaded_at = now(), account = gis.current_account()

-- name: list_files
SELECT checkout_id, account, name, uploaded_at FROM gis.checkin_file ORDER BY uploaded_at DESC

-- name: find_file
SELECT name, body FROM gis.checkin_file WHERE checkout_id = :id

-- name: drop_file
DELETE FROM gis.checkin_file WHERE checkout_id = :id
