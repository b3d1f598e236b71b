-- The desk of the moderators, read as dept_disaster; row policies hide what is private from whoever is no moderator.

-- name: queue
-- What waits, the gravest and longest waiting first; `wanted` is waiting, published, held, rejected, merged or all.
SELECT i.fid, i.version, i.kind, i.status, i.state, i.publication, i.level, i.headline, i.category, i.place_name, i.source,
       i.is_personal, i.needs_review, i.created_at, i.occurred_at, i.occurred_precision, i.reported_at,
       extract(epoch FROM now() - i.created_at)::bigint / 60 AS age_minutes,
       c.account AS claimed_by,
       (SELECT count(*) FROM ingest.merge m WHERE m.into_fid = i.fid AND m.undone_at IS NULL) AS members,
       EXISTS (SELECT FROM ingest.likeness l WHERE i.fid IN (l.incident_fid, l.other_fid) AND l.decided_at IS NULL) AS has_proposals
FROM layers.incident i LEFT JOIN ingest.desk_claim c ON c.incident_fid = i.fid AND c.until_at > now()
WHERE CASE :wanted WHEN 'waiting' THEN (i.publication = 'pending' OR i.needs_review) AND i.publication <> 'merged'
                   WHEN 'all' THEN true ELSE i.publication = :wanted END
  AND (:kind = '' OR i.kind = :kind) AND (:source = '' OR i.source = :source)
  AND (NOT :mine OR c.account = :account OR EXISTS (SELECT FROM ingest.moderation d WHERE d.incident_fid = i.fid AND d.decided_by = :account))
ORDER BY i.status <> 'Actual', i.level DESC, CASE WHEN :wanted = 'waiting' THEN i.created_at END, i.created_at DESC, i.fid
LIMIT :most OFFSET :first

-- name: sources
SELECT DISTINCT source FROM layers.incident
WHERE source IS NOT NULL AND (publication = 'pending' OR reported_at > now() - interval '30 days') ORDER BY source

-- name: incident
SELECT i.*, m.decided_by, m.decided_at, m.said, m.says, m.area IS NOT NULL AS has_own_area,
       m.headline IS NOT NULL OR m.description IS NOT NULL AS has_own_text, into_fid
FROM layers.incident i
LEFT JOIN ingest.moderation m ON m.incident_fid = i.fid
LEFT JOIN ingest.merge g ON g.incident_fid = i.fid AND g.undone_at IS NULL
WHERE i.fid = :fid

-- name: reports
-- What every source said, in its order, the members' too; the original words only for who may read them.
SELECT r.id, r.source, r.source_id, r.action, r.reported_at, r.office, r.headline, r.text, r.incident_fid, r.document_id,
       d.id IS NOT NULL AS may_open, p.original, p.place_text, p.erased_at,
       coalesce((r.facts->>'vanished')::boolean, false) AS vanished
FROM ingest.report r
LEFT JOIN ingest.report_private p ON p.report_id = r.id
LEFT JOIN ingest.document d ON d.id = r.document_id
WHERE r.incident_fid = :fid
   OR r.incident_fid IN (SELECT m.incident_fid FROM ingest.merge m WHERE m.into_fid = :fid AND m.undone_at IS NULL)
ORDER BY r.reported_at, r.id

-- name: members
SELECT i.fid, i.headline, i.source, i.state, m.score, m.reasons, m.decided_by
FROM ingest.merge m JOIN layers.incident i ON i.fid = m.incident_fid
WHERE m.into_fid = :fid AND m.undone_at IS NULL ORDER BY m.id

-- name: proposals
SELECT i.fid, i.headline, i.source, i.occurred_at, i.occurred_precision, i.reported_at, i.publication, l.proposal, l.score, l.reasons
FROM ingest.likeness l JOIN layers.incident i ON i.fid = CASE WHEN l.incident_fid = :fid THEN l.other_fid ELSE l.incident_fid END
WHERE :fid IN (l.incident_fid, l.other_fid) AND l.decided_at IS NULL ORDER BY l.score DESC

-- name: steps
SELECT act, reason, overrode, account, done_at FROM ingest.moderation_step WHERE incident_fid = :fid ORDER BY id

-- name: notes
SELECT note, account, written_at FROM ingest.incident_note WHERE incident_fid = :fid ORDER BY id

-- name: add_note
INSERT INTO ingest.incident_note (incident_fid, note) VALUES (:fid, :note)

-- name: claim
-- Whoever came first keeps it for two minutes after the last look; the answer is who has it.
INSERT INTO ingest.desk_claim AS c (incident_fid, account, until_at) VALUES (:fid, :account, now() + interval '2 minutes')
ON CONFLICT (incident_fid) DO UPDATE SET account = :account, until_at = excluded.until_at
WHERE c.account = :account OR c.until_at < now()

-- name: claimed_by
SELECT account FROM ingest.desk_claim WHERE incident_fid = :fid AND until_at > now()

-- name: features
-- The public area, and for moderators the places that the sources named.
SELECT json_build_object('type', 'FeatureCollection', 'features', coalesce(json_agg(feature), '[]'))::text FROM (
    SELECT json_build_object('type', 'Feature', 'geometry', ST_AsGeoJSON(geom, 7, 0)::json,
                             'properties', json_build_object('what', 'public', 'level', level, 'status', status, 'kind', kind)) AS feature
    FROM layers.incident WHERE fid = :fid AND geom IS NOT NULL
    UNION ALL
    SELECT json_build_object('type', 'Feature', 'geometry', ST_AsGeoJSON(p.position, 7, 0)::json,
                             'properties', json_build_object('what', 'original', 'accuracy_m', p.accuracy_m, 'source', r.source))
    FROM ingest.report r JOIN ingest.report_private p ON p.report_id = r.id
    WHERE r.incident_fid = :fid AND p.position IS NOT NULL
) found

-- name: next_waiting
SELECT fid FROM layers.incident
WHERE (publication = 'pending' OR needs_review) AND publication <> 'merged' AND fid <> :fid
ORDER BY status <> 'Actual', level DESC, created_at, fid LIMIT 1
