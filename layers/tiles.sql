-- Run by psycopg: tables and columns are identifiers. Envelopes are made of bound numbers, so the planner sees constants
-- and uses the GiST index of the layer; a CTE would hide them.

-- name: tile
-- ST_AsMVT passes over what lies outside (its geometry is NULL). A WHERE that says so would draw every geometry twice,
-- because the planner puts the expression in both places.
SELECT coalesce(ST_AsMVT(tile, %(layer)s, 4096, 'geom', 'fid'), '')
FROM (SELECT fid, {geom} AS geom{columns} FROM {source}) AS tile

-- name: standing
{table} WHERE geom && {box}

-- name: box
ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 6668)

-- name: straight
ST_AsMVTGeom({shape}, ST_MakeEnvelope(%(left)s, %(bottom)s, %(right)s, %(top)s, 6668), 4096, 64, true)

-- name: projected
ST_AsMVTGeom(gis.tile_geometry({shape}), ST_MakeEnvelope(%(left)s, %(bottom)s, %(right)s, %(top)s, 3857), 4096, 64, true)
