-- What departments may do with layers beyond their own.

-- name: grant_layer
-- Run by psycopg.
SELECT gis.grant_layer(%(layer)s, %(department)s, %(access)s, %(is_personal)s,
                       ST_SetSRID(ST_GeomFromGeoJSON(%(area)s::text), 6668), %(area_name)s, %(seen)s::timestamptz)

-- name: list
SELECT layer, department, access, is_personal, area IS NOT NULL AS is_limited, area_name, granted_by, granted_at
FROM gis.layer_grant
WHERE CAST(:layer AS text) IS NULL OR layer = :layer
ORDER BY layer, department

-- name: changes
SELECT department, access, is_personal, area IS NOT NULL AS is_limited, area_name, account, reason, changed_at
FROM gis.layer_grant_change
WHERE layer = :layer
ORDER BY id DESC
LIMIT 100

-- name: areas
SELECT department, ST_AsGeoJSON(area, 15, 0) AS geojson FROM gis.layer_grant WHERE layer = :layer AND area IS NOT NULL
