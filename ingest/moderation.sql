-- name: incident
SELECT i.*, ST_AsEWKB(i.geom) AS place, m.decided_at IS NOT NULL AS is_moderated, m.says,
       i.is_personal OR EXISTS (SELECT FROM ingest.report r JOIN ingest.document d ON d.id = r.document_id
                                WHERE r.incident_fid = i.fid AND d.is_private) AS may_name_persons,
       ST_AsEWKB(coalesce(m.said_area, i.geom)) AS said_place, coalesce(m.said_radius_m, i.accuracy_m) AS said_accuracy_m,
       m.headline AS own_headline, m.description AS own_description
FROM layers.incident i LEFT JOIN ingest.moderation m ON m.incident_fid = i.fid
WHERE i.fid = :fid
FOR UPDATE OF i

-- name: begin_moderation
INSERT INTO ingest.moderation (incident_fid, said, says, said_area, said_radius_m, reason)
VALUES (:fid, :says, :says, ST_GeomFromEWKB(:place), :radius_m, :reason)
ON CONFLICT (incident_fid) DO UPDATE SET
    said = ingest.moderation.says, reason = excluded.reason, decided_by = gis.current_account(), decided_at = now()

-- name: publish
UPDATE layers.incident SET publication = :publication, needs_review = false WHERE fid = :fid

-- name: own_text
UPDATE ingest.moderation SET headline = :headline, description = :description WHERE incident_fid = :fid

-- name: write_text
UPDATE layers.incident SET headline = :headline, description = :description, needs_review = false WHERE fid = :fid

-- name: own_area
UPDATE ingest.moderation SET area = ST_GeomFromEWKB(:area), area_radius_m = :radius_m WHERE incident_fid = :fid

-- name: write_area
UPDATE layers.incident SET geom = ST_GeomFromEWKB(:place), accuracy_m = :radius_m, needs_review = false WHERE fid = :fid

-- name: own_state
UPDATE ingest.moderation SET state = :state WHERE incident_fid = :fid

-- name: write_state
UPDATE layers.incident
SET state = :state, resolved_at = CASE WHEN :state = 'resolved' THEN now() END, needs_review = false WHERE fid = :fid

-- name: drawn
-- A drawn shape, made valid; NULL when it has no surface.
SELECT ST_AsEWKB(shape) AS area, radius_m, ST_Covers(ST_Buffer(shape, 0.000001), CAST(:floor AS geometry)) AS is_wide
FROM (SELECT geom AS shape,
             ST_MaxDistance(ST_Transform(geom, 3857), ST_Transform(ST_Centroid(geom), 3857)) * cos(radians(ST_Y(ST_Centroid(geom)))) AS radius_m
      FROM (SELECT ST_CollectionExtract(ST_MakeValid(ST_SetSRID(ST_GeomFromGeoJSON(:drawn), 6668)), 3) AS geom) made
      WHERE NOT ST_IsEmpty(geom)) found

-- name: households
SELECT ingest.households_within(ST_GeomFromEWKB(:area))

-- name: wider
-- A mesh of JIS X 0410 around the middle of what is shown, a quarter, or the town; never less than what is shown.
WITH shown AS (SELECT CAST(:floor AS geometry) AS geom, ST_Centroid(CAST(:floor AS geometry)) AS middle),
chosen AS (
    SELECT ST_MakeEnvelope(floor(ST_X(middle) * 3600 / w) * w / 3600, floor(ST_Y(middle) * 3600 / h) * h / 3600,
                           (floor(ST_X(middle) * 3600 / w) + 1) * w / 3600, (floor(ST_Y(middle) * 3600 / h) + 1) * h / 3600, 6668) AS geom
    FROM shown, (VALUES ('mesh_500', 22.5::double precision, 15::double precision), ('mesh_1000', 45, 30)) AS mesh (rule, w, h)
    WHERE rule = :rule
    UNION ALL
    SELECT b.geom FROM layers.town_block b, shown
    WHERE :rule = 'quarter' AND ST_Dimension(b.geom) = 2 AND ST_Intersects(b.geom, middle)
    UNION ALL
    SELECT c.geom FROM layers.city_area c WHERE :rule = 'town' AND c.code = :code
    LIMIT 1
)
SELECT ST_AsGeoJSON(CASE WHEN ST_Covers(chosen.geom, shown.geom) THEN chosen.geom ELSE ST_Union(chosen.geom, shown.geom) END, 9, 0)
FROM chosen, shown
