-- Templates: {…} are identifiers and column lists composed by psycopg.sql. l is the layer, s the staged file.

-- name: stage
-- Values are typed and checked here as in the layer itself, without its triggers.
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
SELECT 0 AS row_number, {columns} FROM {layer} WHERE false

-- name: update_changed
UPDATE {layer} l SET {assignments}
FROM {staged} s
WHERE l.{key} = s.{key} AND ROW({ours}) IS DISTINCT FROM ROW({theirs})

-- name: insert_new
INSERT INTO {layer} ({columns})
SELECT {theirs} FROM {staged} s
WHERE NOT EXISTS (SELECT FROM {layer} l WHERE l.{key} = s.{key})
ORDER BY s.row_number

-- name: insert_different
-- && uses the GiST index; equality of every column decides.
INSERT INTO {layer} ({columns})
SELECT {theirs} FROM {staged} s
WHERE NOT EXISTS (SELECT FROM {layer} l WHERE l.geom && s.geom AND ROW({ours}) IS NOT DISTINCT FROM ROW({theirs}))
ORDER BY s.row_number
