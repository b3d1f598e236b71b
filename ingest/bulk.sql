-- name: known
-- What was here before, as a message or as an event, is the ordinary path's.
SELECT source_id, event_key FROM ingest.report
WHERE source = :source AND source_id = ANY(:source_ids) OR event_key = ANY(:event_keys)

-- name: stage
-- Where rows of a table stand under policies, COPY may not write; typed as there, without triggers and indexes.
CREATE TEMPORARY TABLE bulk_private ON COMMIT DROP AS
SELECT report_id, position, accuracy_m, place_text, original, details FROM ingest.report_private WHERE false

-- name: incident_numbers
SELECT fid FROM layers.incident WHERE event_key = ANY(%(event_keys)s) ORDER BY fid

-- name: last_report
-- The reports of the part get numbers after this one; without it each part would be looked for in the whole document.
SELECT coalesce(max(id), 0) FROM ingest.report

-- name: report_numbers
SELECT id FROM ingest.report WHERE document_id = %(document_id)s AND id > %(after)s ORDER BY id

-- name: insert_private
INSERT INTO ingest.report_private (report_id, position, accuracy_m, place_text, original, details)
SELECT report_id, position, accuracy_m, place_text, original, details FROM pg_temp.bulk_private;
TRUNCATE pg_temp.bulk_private

-- name: drop
DROP TABLE pg_temp.bulk_private
