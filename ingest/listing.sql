-- name: is_last_list
SELECT listed_document = :document FROM ingest.source WHERE name = :source

-- name: note_list
-- No row when a list seen later was compared already.
INSERT INTO ingest.source AS old (name, listed_document, listed_at) VALUES (:source, :document, :seen_at)
ON CONFLICT (name) DO UPDATE SET listed_document = excluded.listed_document, listed_at = excluded.listed_at
WHERE old.listed_at IS NULL OR old.listed_at <= excluded.listed_at
RETURNING name

-- name: ours
-- Of these events those whose last word is ours: gone from the list, or back on it.
SELECT * FROM (
    SELECT DISTINCT ON (r.event_key) r.event_key, r.source_id, r.reported_at, r.facts
    FROM ingest.report r WHERE r.source = :source AND r.event_key = ANY(:listed)
    ORDER BY r.event_key, r.reported_at DESC, r.controlled_at DESC, r.source_id DESC
) last WHERE facts ? 'vanished'

-- name: unlisted
-- The last words about what is open and not on the list.
SELECT * FROM (
    SELECT DISTINCT ON (r.event_key) r.event_key, r.kind, r.telegram, r.status, r.office, r.headline, r.reported_at, r.facts
    FROM layers.incident i JOIN ingest.report r ON r.incident_fid = i.fid
    WHERE i.state IN ('open', 'updated') AND r.source = :source AND NOT r.event_key = ANY(:listed)
    ORDER BY r.event_key, r.reported_at DESC, r.controlled_at DESC, r.source_id DESC
) last WHERE NOT coalesce((facts->>'vanished')::boolean, false)
