-- name: moderated
-- Locked: a moderator publishing at this moment must not slip in between what is read and what is written.
SELECT i.publication, i.state, m.decided_at IS NOT NULL AS is_moderated, m.headline, m.description, m.state AS wanted_state,
       m.said, ST_AsEWKB(m.area) AS area, m.area_radius_m
FROM layers.incident i LEFT JOIN ingest.moderation m ON m.incident_fid = i.fid
WHERE i.fid = :fid
FOR UPDATE OF i

-- name: note_says
UPDATE ingest.moderation SET says = :says, said_area = ST_GeomFromEWKB(:place), said_radius_m = :radius_m WHERE incident_fid = :fid
