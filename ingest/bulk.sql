-- Templates: {…} are column lists composed by psycopg.sql.

-- name: known
-- What was here before, as a message or as an event, is the ordinary path's.
SELECT source_id, event_key FROM ingest.report
WHERE source = :source AND source_id = ANY(:source_ids) OR event_key = ANY(:event_keys)

-- name: stage
-- Typed as in the tables they go to, without triggers and indexes.
CREATE TEMPORARY TABLE bulk_place (place int, geom geometry, lon float8, lat float8, accuracy_m float8,
                                   place_name text, rule text, radius_m float8) ON COMMIT DROP;
CREATE TEMPORARY TABLE bulk_incident ON COMMIT DROP AS
SELECT 0 AS number, 0 AS place, ''::text AS phase, NULL::jsonb AS facts, {columns} FROM layers.incident WHERE false;
CREATE TEMPORARY TABLE bulk_private (source_id text, lon float8, lat float8, accuracy_m float8, place_text text,
                                     original text, details jsonb) ON COMMIT DROP

-- name: analyze
-- Only what is joined by: the wide columns would take half a second.
ANALYZE pg_temp.bulk_place (place), pg_temp.bulk_incident (place, event_key), pg_temp.bulk_private (source_id)

-- name: last_report
-- The reports of the part get numbers after this one; without it each part would be looked for in the whole table.
SELECT coalesce(max(id), 0) FROM ingest.report

-- name: insert_incidents
-- The layer numbers them itself, in the order of the document.
INSERT INTO layers.incident (geom, {columns})
SELECT p.geom, {columns}
FROM pg_temp.bulk_incident b JOIN (SELECT place, geom FROM pg_temp.bulk_place) p USING (place) ORDER BY b.number
RETURNING event_key, fid

-- name: insert_private
INSERT INTO ingest.report_private (report_id, position, accuracy_m, place_text, original, details)
SELECT r.id, ST_SetSRID(ST_MakePoint(b.lon, b.lat), 6668), b.accuracy_m, b.place_text, b.original, b.details
FROM pg_temp.bulk_private b JOIN ingest.report r ON r.source_id = b.source_id AND r.id > %(after)s

-- name: insert_situations
INSERT INTO ingest.situation
    (incident_fid, report_id, telegram, kind, status, phase, level, is_fresh, reported_at, office, headline, text, facts)
SELECT r.incident_fid, r.id, r.telegram, r.kind, r.status, b.phase, b.level, false, r.reported_at, r.office, r.headline,
       r.text, coalesce(b.facts, r.facts)
FROM pg_temp.bulk_incident b JOIN ingest.report r ON r.event_key = b.event_key AND r.id > %(after)s
ORDER BY b.number

-- name: insert_shown
INSERT INTO ingest.shown_place (incident_fid, position, accuracy_m, place_name, rule, area, radius_m)
SELECT r.incident_fid, ST_SetSRID(ST_MakePoint(p.lon, p.lat), 6668), p.accuracy_m, p.place_name, p.rule, p.geom, p.radius_m
FROM pg_temp.bulk_incident b JOIN pg_temp.bulk_place p USING (place)
JOIN ingest.report r ON r.event_key = b.event_key AND r.id > %(after)s
WHERE p.rule IS NOT NULL

-- name: empty
-- The places stay: later parts stand in them, too.
TRUNCATE pg_temp.bulk_incident, pg_temp.bulk_private

-- name: drop
DROP TABLE pg_temp.bulk_place, pg_temp.bulk_incident, pg_temp.bulk_private
