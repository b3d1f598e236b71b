-- name: store_report
-- The same message again with the same content returns no row.
INSERT INTO ingest.report AS old
    (source, source_id, document_id, telegram, kind, status, action, event_key, serial, reported_at, controlled_at,
     office, headline, text, facts, concerns_town, private_sha256)
VALUES
    (:source, :source_id, :document_id, :telegram, :kind, :status, :action, :event_key, :serial, :reported_at,
     :controlled_at, :office, :headline, :text, :facts, :concerns_town, :private_sha256)
ON CONFLICT (source, source_id) DO UPDATE SET
    document_id = excluded.document_id, telegram = excluded.telegram, kind = excluded.kind, status = excluded.status,
    action = excluded.action, event_key = excluded.event_key, serial = excluded.serial,
    reported_at = excluded.reported_at, controlled_at = excluded.controlled_at, office = excluded.office,
    headline = excluded.headline, text = excluded.text, facts = excluded.facts,
    concerns_town = excluded.concerns_town, private_sha256 = excluded.private_sha256
WHERE (old.telegram, old.kind, old.status, old.action, old.event_key, old.serial, old.reported_at, old.controlled_at,
       old.office, old.headline, old.text, old.facts, old.private_sha256)
      IS DISTINCT FROM
      (excluded.telegram, excluded.kind, excluded.status, excluded.action, excluded.event_key, excluded.serial,
       excluded.reported_at, excluded.controlled_at, excluded.office, excluded.headline, excluded.text, excluded.facts,
       excluded.private_sha256)
  -- Under one identity an older message does not replace a newer one; the same document read again may, for its
  -- parser was mended.
  AND (excluded.reported_at >= old.reported_at OR excluded.document_id = old.document_id OR :may_go_back)
  -- What was erased is never written again, whoever sends it once more.
  AND NOT EXISTS (SELECT FROM ingest.report_private p WHERE p.report_id = old.id AND p.erased_at IS NOT NULL)
RETURNING old.id, EXISTS (SELECT FROM ingest.report_private p WHERE p.report_id = old.id) AS had_private

-- name: follow_erased
-- What brings erased words once more is a document of theirs: it goes as they went (ingest/retention.sql).
UPDATE ingest.report r SET document_id = :document_id
WHERE r.source = :source AND r.source_id = :source_id
  AND EXISTS (SELECT FROM ingest.report_private p WHERE p.report_id = r.id AND p.erased_at IS NOT NULL)

-- name: store_private
INSERT INTO ingest.report_private (report_id, position, accuracy_m, place_text, original, details)
VALUES (:report_id, ST_SetSRID(ST_MakePoint(:lon, :lat), 6668), :accuracy_m, :place_text, :original, :details)
ON CONFLICT (report_id) DO UPDATE SET
    position = excluded.position, accuracy_m = excluded.accuracy_m, place_text = excluded.place_text,
    original = excluded.original, details = excluded.details, erased_at = NULL

-- name: load_reports
SELECT r.*, ST_X(p.position) AS lon, ST_Y(p.position) AS lat, p.accuracy_m, p.place_text, p.original, p.details
FROM ingest.report r LEFT JOIN ingest.report_private p ON p.report_id = r.id
WHERE r.event_key = :event_key

-- name: link_reports
UPDATE ingest.report SET incident_fid = :incident_fid, concerns_town = true
WHERE event_key = :event_key
  AND (concerns_town OR action = 'withdraw')
  AND (incident_fid IS DISTINCT FROM :incident_fid OR NOT concerns_town)

-- name: load_running
-- What ended before the incident before this one can no longer change: two ends back is far enough.
WITH ends AS (
    SELECT i.resolved_at FROM layers.incident i
    WHERE i.resolved_at < :reported_at
      AND i.fid IN (SELECT x.incident_fid FROM ingest.report x WHERE x.event_key = :event_key)
    ORDER BY i.resolved_at DESC OFFSET 1 LIMIT 1
),
-- Before the first word about the town there is nothing to fold, however many telegrams there are.
begun AS (
    SELECT min(reported_at) AS reported_at FROM ingest.report
    WHERE event_key = :event_key AND concerns_town
      AND reported_at > coalesce((SELECT resolved_at FROM ends), '-infinity')
)
SELECT r.*, ST_X(p.position) AS lon, ST_Y(p.position) AS lat, p.accuracy_m, p.place_text, p.original, p.details
FROM ingest.report r LEFT JOIN ingest.report_private p ON p.report_id = r.id
WHERE r.event_key = :event_key AND r.reported_at >= (SELECT reported_at FROM begun)

-- name: link_running
UPDATE ingest.report SET incident_fid = :incident_fid, concerns_town = concerns_town OR action = 'withdraw'
WHERE event_key = :event_key AND source_id = ANY(:source_ids)
  AND (incident_fid IS DISTINCT FROM :incident_fid OR (action = 'withdraw' AND NOT concerns_town))
