-- name: add_subscriber
INSERT INTO alerts.subscriber (email, language, kinds, state, token)
VALUES (:email, :language, :kinds, 'confirmed', :token)
ON CONFLICT (email) DO NOTHING RETURNING id

-- name: set_quiet_hours
UPDATE alerts.subscriber SET quiet_from = :begins, quiet_until = :ends WHERE id = :id

-- name: add_point
INSERT INTO alerts.place (subscriber_id, name, position, radius_m, plane)
SELECT :subscriber_id, :name, g, :radius_m, ST_Transform(g, CAST(:plane_epsg AS int))
FROM ST_SetSRID(ST_Point(:lon, :lat), 6668) g
RETURNING id

-- name: add_drawn
INSERT INTO alerts.zone (shape) VALUES (ST_Multi(alerts.to_plane(ST_GeomFromWKB(:wkb, 6668), CAST(:plane_epsg AS int)))) RETURNING id

-- name: add_zone_place
-- The point for distances lies inside the zone.
INSERT INTO alerts.place (subscriber_id, name, position, radius_m, plane, zone_id)
SELECT :subscriber_id, :name, ST_Transform(inner_point, 6668), 0, inner_point, z.id
FROM alerts.zone z, ST_PointOnSurface(z.shape) inner_point
WHERE z.id = :zone_id
RETURNING id

-- name: is_public
SELECT to_regclass(format('open.%I', CAST(:layer AS text))) IS NOT NULL AND to_regclass(format('layers.%I', CAST(:layer AS text))) IS NOT NULL

-- name: add_feature_zone
-- No row when there is no such feature with an area. The zone that others named already is taken, with the shape of now.
INSERT INTO alerts.zone (layer, fid, version, shape)
SELECT :layer, f.fid, f.version, ST_Multi(alerts.to_plane(f.geom, CAST(:plane_epsg AS int)))
FROM {layer} f WHERE f.fid = :fid AND ST_Dimension(f.geom) = 2
ON CONFLICT (layer, fid) DO UPDATE SET version = excluded.version, shape = excluded.shape, is_gone = false, updated_at = now()
RETURNING id

-- name: feature_name
SELECT concat_ws(' ', to_jsonb(f) ->> 'name', to_jsonb(f) ->> 'sub_name') FROM {layer} f WHERE f.fid = :fid

-- name: mark_layer_gone
UPDATE alerts.zone SET is_gone = true, updated_at = now() WHERE layer = :layer AND NOT is_gone

-- name: mark_gone
-- The feature is no more, or has no area that could be compared.
UPDATE alerts.zone z SET is_gone = true, updated_at = now()
WHERE z.layer = :layer AND NOT z.is_gone
  AND NOT EXISTS (SELECT FROM {layer} f WHERE f.fid = z.fid AND ST_Dimension(f.geom) = 2 AND ST_IsValid(f.geom) AND NOT ST_IsEmpty(f.geom))

-- name: refresh_zones
UPDATE alerts.zone z
SET version = f.version, shape = ST_Multi(now_there.shape), is_gone = false, updated_at = now()
FROM {layer} f CROSS JOIN LATERAL (SELECT alerts.to_plane(f.geom, CAST(:plane_epsg AS int)) AS shape OFFSET 0) now_there
WHERE z.layer = :layer AND f.fid = z.fid AND (z.version <> f.version OR z.is_gone)
  AND ST_Dimension(f.geom) = 2 AND ST_IsValid(now_there.shape) AND NOT ST_IsEmpty(now_there.shape)
  AND ST_NPoints(now_there.shape) <= 50000 AND ST_Area(now_there.shape) <= 5e9
