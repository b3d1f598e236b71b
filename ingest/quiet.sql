-- name: resolve_quiet
-- An earthquake has no 解除, and a notice lapses by itself. Arrival counts, not the telegram's own time: what came
-- in late, or is replayed, is news to the people here.
WITH heard AS (
    SELECT i.fid, i.kind, last.created_at, last.facts ->> 'valid_until' AS valid_until,
           (SELECT max(r.created_at) FROM ingest.report r WHERE r.incident_fid = i.fid) AS reported
    FROM layers.incident i
    CROSS JOIN LATERAL (
        SELECT s.created_at, s.facts FROM ingest.situation s WHERE s.incident_fid = i.fid ORDER BY s.id DESC LIMIT 1
    ) AS last
    WHERE i.state IN ('open', 'updated')
),
over AS (
    SELECT fid, now() AS ended_at FROM heard
    WHERE kind = 'earthquake' AND greatest(created_at, reported) < now() - make_interval(hours => :quiet_hours)
    UNION ALL
    SELECT fid, valid_until::timestamptz FROM heard WHERE valid_until::timestamptz < now()
)
UPDATE layers.incident i SET state = 'resolved', resolved_at = over.ended_at
FROM over WHERE over.fid = i.fid
RETURNING i.fid
