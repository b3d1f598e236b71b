-- name: town
SELECT ST_AsBinary(ST_Multi(geom)) FROM layers.city_area WHERE code = :code ORDER BY ST_Area(geom) DESC LIMIT 1

-- name: incident
-- The public area, not the place that a source named.
SELECT ST_AsBinary(geom) FROM layers.incident WHERE fid = :number

-- name: alert
SELECT ST_AsBinary(area) FROM alerts.alert WHERE id = :number

-- name: widen
SELECT ST_AsBinary(ST_Transform(ST_Buffer(ST_Transform(ST_GeomFromWKB(:wkb, 6668), CAST(:plane_epsg AS int)),
                                          CAST(:buffer_m AS float8), 32), 6668))

-- name: is_inside_town
-- One metre of grace on the plane: pieces that share the town's border differ from it by rounding.
SELECT ST_CoveredBy(ST_MakeValid(ST_Transform(ST_GeomFromWKB(:wkb, 6668), CAST(:plane_epsg AS int))),
                    ST_Buffer(ST_Union(ST_MakeValid(ST_Transform(c.geom, CAST(:plane_epsg AS int)))), 1))
FROM layers.city_area c WHERE c.code = :code

-- name: settle
-- Nothing when the area is valid on the plane. Outward, because of two mistakes at a border the superfluous mail is the smaller one.
SELECT ST_AsBinary(ST_Transform(ST_Buffer(ST_MakeValid(plane), 0.05, 'quad_segs=1'), 6668))
FROM alerts.to_plane(ST_GeomFromWKB(:wkb, 6668), CAST(:plane_epsg AS int)) plane
WHERE NOT ST_IsValid(plane)
