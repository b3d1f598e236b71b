-- Run by psycopg: tables and columns are identifiers, conditions follow from the definition.

-- name: misfits
SELECT count(*), (array_agg(fid ORDER BY fid))[1:5], (array_agg({column}::text ORDER BY fid))[1:5]
FROM {table} WHERE {broken}

-- name: doubles
SELECT count(*), (array_agg(fid ORDER BY fid))[1:5], (array_agg(value ORDER BY fid))[1:5]
FROM (SELECT fid, {column}::text AS value, count(*) OVER (PARTITION BY {column}) AS how_often
      FROM {table} WHERE {column} IS NOT NULL) AS counted
WHERE how_often > 1
