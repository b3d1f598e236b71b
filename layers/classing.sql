-- Run by psycopg: table and column are identifiers.

-- name: values
SELECT {column} FROM {table} WHERE {column} IS NOT NULL GROUP BY {column} ORDER BY count(*) DESC, {column} LIMIT %(most)s

-- name: breaks
SELECT min({column})::double precision, max({column})::double precision,
       percentile_disc(%(shares)s::double precision[]) WITHIN GROUP (ORDER BY {column}::double precision)
FROM {table} WHERE {column} IS NOT NULL
