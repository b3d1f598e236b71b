-- name: point
SELECT ST_AsEWKB(ST_SetSRID(ST_MakePoint(:lon, :lat), 6668))

-- name: area
SELECT ST_AsEWKB(ST_MakeValid(ST_SetSRID(ST_GeomFromGeoJSON(:area), 6668)))

-- name: town_place
-- The town's area, or a point in it; its extent when its boundary is not loaded (rather too wide than nothing).
WITH town AS (
    SELECT geom FROM layers.city_area WHERE code = :code
    UNION ALL
    SELECT ST_Multi(ST_MakeEnvelope(:min_lon, :min_lat, :max_lon, :max_lat, 6668))
    LIMIT 1
)
SELECT ST_AsEWKB(CASE WHEN :is_point THEN ST_PointOnSurface(geom) ELSE geom END) FROM town

-- name: insert_situation
INSERT INTO ingest.situation
    (incident_fid, report_id, telegram, kind, status, phase, level, is_fresh, reported_at, office, headline, text, facts)
VALUES
    (:incident_fid, :report_id, :telegram, :kind, :status, :phase, :level, :is_fresh, :reported_at, :office, :headline,
     :text, :facts)
RETURNING id

-- name: publication
SELECT publication FROM layers.incident WHERE fid = :fid

-- name: cancel_orphans
UPDATE layers.incident SET state = 'cancelled', level = 0, resolved_at = now()
WHERE fid = ANY(:fids) AND state <> 'cancelled'
