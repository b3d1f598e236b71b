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
SELECT ST_CoveredBy(ST_Transform(ST_GeomFromWKB(:wkb, 6668), CAST(:plane_epsg AS int)),
                    ST_Buffer(ST_Union(ST_Transform(c.geom, CAST(:plane_epsg AS int))), 1))
FROM layers.city_area c WHERE c.code = :code

-- name: find_blocks
SELECT b.fid, concat(b.name, b.sub_name) AS name, coalesce(b.name_kana, '') AS kana, coalesce(b.name_en, '') AS name_en,
       ST_Dimension(b.geom) = 2 AS is_area
FROM open.town_block b
WHERE concat(b.name, b.sub_name, ' ', b.name_kana, ' ', b.name_en) ILIKE '%' || CAST(:words AS text) || '%' OR b.fid = :fid
ORDER BY b.name, b.sub_name, b.fid LIMIT 50
