-- Templates: {…} are identifiers and column lists composed by psycopg.sql. l is the layer, p its personal table, s the
-- staged file. No attribute's name begins with _.

-- name: stage
-- Values are typed here as in the layer itself, without its triggers. _fid is the feature that a row is about.
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
SELECT 0 AS _row, NULL::bigint AS _fid, NULL::bool AS _is_new, NULL::bool AS _is_changed, {all_ours}
FROM {layer} l{join_personal} WHERE false

-- name: analyze
ANALYZE {staged}

-- name: remove_demo
DELETE FROM {layer} WHERE is_demo

-- name: match_by_key
UPDATE {staged} s SET _fid = l.fid FROM {layer} l WHERE l.{key} = s.{key}

-- name: match_whole
-- && uses the GiST index; equality of every column decides.
UPDATE {staged} s SET _fid = l.fid FROM {layer} l{join_personal}
WHERE l.geom && s.geom AND ROW({all_ours}) IS NOT DISTINCT FROM ROW({all_theirs})

-- name: count_missing
SELECT FROM {layer} l WHERE NOT EXISTS (SELECT FROM {staged} s WHERE s._fid = l.fid)

-- name: remove_missing
DELETE FROM {layer} l WHERE NOT EXISTS (SELECT FROM {staged} s WHERE s._fid = l.fid)

-- name: mark_changed
UPDATE {staged} s SET _is_changed = true FROM {layer} l
WHERE l.fid = s._fid AND ROW({ours}) IS DISTINCT FROM ROW({theirs})

-- name: update_changed
UPDATE {layer} l SET {assignments} FROM {staged} s WHERE s._is_changed AND l.fid = s._fid

-- name: insert_new
-- The layer numbers its features itself, in the order in which they come: so the n-th number belongs to the n-th row.
WITH made AS (
    INSERT INTO {layer} ({columns}) SELECT {theirs} FROM {staged} s WHERE s._fid IS NULL ORDER BY s._row RETURNING fid
), numbered AS (
    SELECT fid, row_number() OVER (ORDER BY fid) AS position FROM made
), waiting AS (
    SELECT _row, row_number() OVER (ORDER BY _row) AS position FROM {staged} WHERE _fid IS NULL
)
UPDATE {staged} s SET _fid = n.fid, _is_new = true
FROM waiting w JOIN numbered n USING (position) WHERE s._row = w._row

-- name: update_personal
WITH changed AS (
    UPDATE {personal} p SET {personal_assignments} FROM {staged} s
    WHERE p.fid = s._fid AND ROW({personal_ours}) IS DISTINCT FROM ROW({personal_theirs}) RETURNING p.fid
)
UPDATE {staged} s SET _is_changed = true FROM changed c WHERE c.fid = s._fid

-- name: insert_personal
WITH made AS (
    INSERT INTO {personal} (fid, {personal_columns})
    SELECT s._fid, {personal_theirs} FROM {staged} s
    WHERE num_nonnulls({personal_theirs}) > 0 AND NOT EXISTS (SELECT FROM {personal} p WHERE p.fid = s._fid)
    ORDER BY s._row RETURNING fid
)
UPDATE {staged} s SET _is_changed = true FROM made m WHERE m.fid = s._fid

-- name: count_changed
SELECT FROM {staged} WHERE _is_changed AND _is_new IS NULL

-- name: drop
DROP TABLE {staged}
