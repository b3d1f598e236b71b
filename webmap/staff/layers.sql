-- name: first_change
-- Run by psycopg: the table is an identifier. The index on changeset finds the least at once.
SELECT created_at FROM gis.changeset WHERE id = (SELECT min(changeset) FROM {history})

-- name: middle_feature
-- Run by psycopg: the table is an identifier. A place of the feature nearest to the middle of the layer, by the
-- layer's own spatial index: there a map that shows the layer from a deep zoom on has something to show.
SELECT ST_X(place), ST_Y(place)
FROM (SELECT ST_PointOnSurface(geom) AS place FROM {layer} WHERE geom IS NOT NULL
      ORDER BY geom <-> ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 6668) LIMIT 1) AS middle
