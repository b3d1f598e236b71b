-- name: load
-- What was loaded in bulk has no row yet: then what the layer shows counts, of a place that nobody knows here.
SELECT ST_X(position) AS lon, ST_Y(position) AS lat, accuracy_m, place_name, rule, ST_AsEWKB(area) AS area, radius_m
FROM ingest.shown_place WHERE incident_fid = :incident_fid
UNION ALL
SELECT NULL, NULL, 0, coalesce(place_name, ''), 'before', ST_AsEWKB(geom), coalesce(accuracy_m, 0)
FROM layers.incident WHERE fid = :incident_fid AND is_personal AND geom IS NOT NULL
LIMIT 1

-- name: keep
INSERT INTO ingest.shown_place AS old (incident_fid, position, accuracy_m, place_name, rule, area, radius_m)
VALUES (:incident_fid, ST_SetSRID(ST_MakePoint(CAST(:lon AS double precision), CAST(:lat AS double precision)), 6668),
        :accuracy_m, :place_name, :rule, ST_GeomFromEWKB(:area), :radius_m)
ON CONFLICT (incident_fid) DO UPDATE SET
    position = excluded.position, accuracy_m = excluded.accuracy_m, place_name = excluded.place_name,
    rule = excluded.rule, area = excluded.area, radius_m = excluded.radius_m, chosen_at = now()
WHERE (old.position, old.accuracy_m, old.place_name, old.rule)
      IS DISTINCT FROM (excluded.position, excluded.accuracy_m, excluded.place_name, excluded.rule)
   OR ST_AsEWKB(old.area) IS DISTINCT FROM ST_AsEWKB(excluded.area)
