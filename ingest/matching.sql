-- name: lock_merging
SELECT pg_advisory_xact_lock(hashtextextended('ingest.merge', 0))

-- name: lock_rows
-- In order, and without waiting: the fold of a report may hold one and want another.
SELECT fid FROM layers.incident WHERE fid = ANY(:fids) ORDER BY fid FOR UPDATE NOWAIT

-- name: traits
-- The place is as precise as it is known; an erased or missing one leaves the public area.
SELECT i.fid, i.kind, i.status, i.state, i.publication, coalesce(i.category, '') AS category,
       coalesce(i.occurred_at, i.reported_at) AS occurred_at, i.reported_at,
       coalesce(p.accuracy_m, i.accuracy_m, 0) AS accuracy_m,
       concat_ws(' ', i.headline, i.description) AS words,
       coalesce(s.sources, '{}') AS sources,
       EXISTS (SELECT FROM alerts.alert a WHERE a.incident_fid = i.fid AND a.state NOT IN ('draft', 'discarded')) AS is_alerted,
       m.into_fid, EXISTS (SELECT FROM ingest.merge x WHERE x.into_fid = i.fid AND x.undone_at IS NULL) AS is_lead,
       ST_AsEWKB(coalesce(p.position, ST_Centroid(i.geom))) AS place
FROM layers.incident i
LEFT JOIN ingest.merge m ON m.incident_fid = i.fid AND m.undone_at IS NULL
LEFT JOIN LATERAL (SELECT array_agg(DISTINCT r.source) AS sources FROM ingest.report r WHERE r.incident_fid = i.fid) s ON true
LEFT JOIN LATERAL (SELECT q.position, q.accuracy_m FROM ingest.report r JOIN ingest.report_private q ON q.report_id = r.id
                   WHERE r.incident_fid = i.fid AND q.position IS NOT NULL ORDER BY r.reported_at DESC, r.id DESC LIMIT 1) p ON true
WHERE i.fid = ANY(:fids)

-- name: distances
-- In metres, in the order of the others; NULL where a place is not known.
SELECT ST_Distance(geography(CAST(:one AS geometry)), geography(CAST(other AS geometry)))
FROM unnest(CAST(:others AS bytea[])) WITH ORDINALITY AS of (other, number) ORDER BY number

-- name: near_in_time
-- Reports of one event come within days; their own times, found by index, leave few incidents to look at.
SELECT i.fid FROM layers.incident i
WHERE i.fid IN (SELECT r.incident_fid FROM ingest.report r
                WHERE r.kind = :kind AND r.incident_fid IS NOT NULL
                  AND r.reported_at BETWEEN CAST(:reported_at AS timestamptz) - interval '7 days'
                                        AND CAST(:reported_at AS timestamptz) + interval '7 days')
  AND i.kind = :kind AND i.status = :status AND i.fid <> :fid
  AND coalesce(i.occurred_at, i.reported_at) BETWEEN CAST(:occurred_at AS timestamptz) - make_interval(secs => :seconds)
                                                 AND CAST(:occurred_at AS timestamptz) + make_interval(secs => :seconds)
  AND i.state <> 'cancelled' AND i.publication NOT IN ('merged', 'rejected', 'expired')
ORDER BY abs(extract(epoch FROM coalesce(i.occurred_at, i.reported_at) - CAST(:occurred_at AS timestamptz))), i.fid
LIMIT 200

-- name: propose
INSERT INTO ingest.likeness AS old (incident_fid, other_fid, proposal, score, reasons)
VALUES (least(CAST(:fid AS bigint), :other), greatest(CAST(:fid AS bigint), :other), :proposal, :score, :reasons)
ON CONFLICT (incident_fid, other_fid) DO UPDATE SET
    proposal = excluded.proposal, score = excluded.score, reasons = excluded.reasons, found_at = now(),
    decided_by = CASE WHEN old.proposal = excluded.proposal THEN old.decided_by END,
    decided_at = CASE WHEN old.proposal = excluded.proposal THEN old.decided_at END
WHERE (old.proposal, old.score, old.reasons) IS DISTINCT FROM (excluded.proposal, excluded.score, excluded.reasons)

-- name: forget_proposals
-- What nobody decided and no longer holds; a decision stays, so that it is not asked again.
DELETE FROM ingest.likeness
WHERE (incident_fid = :fid OR other_fid = :fid) AND decided_at IS NULL
  AND NOT ((CASE WHEN incident_fid = :fid THEN other_fid ELSE incident_fid END) = ANY(:others))

-- name: decided_apart
SELECT EXISTS (SELECT FROM ingest.likeness
               WHERE incident_fid = least(CAST(:fid AS bigint), :other) AND other_fid = greatest(CAST(:fid AS bigint), :other)
                 AND decided_at IS NOT NULL)
    OR EXISTS (SELECT FROM ingest.merge WHERE incident_fid IN (:fid, :other) AND into_fid IN (:fid, :other)
               AND undone_at IS NOT NULL AND undone_by NOT IN ('machimori_service', 'matching'))

-- name: decide_pair
UPDATE ingest.likeness SET decided_by = gis.current_account(), decided_at = now()
WHERE incident_fid = least(CAST(:fid AS bigint), :other) AND other_fid = greatest(CAST(:fid AS bigint), :other)

-- name: insert_merge
INSERT INTO ingest.merge (incident_fid, into_fid, score, reasons, publication_before)
SELECT :fid, :into, :score, :reasons, i.publication FROM layers.incident i WHERE i.fid = :fid

-- name: mark_merged
UPDATE layers.incident SET publication = 'merged', needs_review = false WHERE fid = :fid

-- name: undo_merge
UPDATE ingest.merge SET undone_at = now(), undone_by = gis.current_account(), undo_reason = :reason
WHERE incident_fid = :fid AND undone_at IS NULL
RETURNING into_fid, publication_before

-- name: give_back
-- What was withdrawn meanwhile, or whose time is over, does not come back to the public by itself; nor does what a
-- moderator kept from it together with the lead.
UPDATE layers.incident i SET needs_review = true, publication = CASE
    WHEN :publication <> 'published' THEN :publication
    WHEN i.state = 'cancelled' THEN 'held'
    WHEN EXISTS (SELECT FROM layers.incident l
                 WHERE l.fid = :into_fid AND l.publication IN ('held', 'rejected') AND l.state <> 'cancelled') THEN 'pending'
    ELSE 'published' END
WHERE i.fid = :fid AND i.publication = 'merged'

-- name: members
SELECT incident_fid FROM ingest.merge WHERE into_fid = :fid AND undone_at IS NULL ORDER BY incident_fid

-- name: ask_again
UPDATE layers.incident SET needs_review = true WHERE fid = :fid AND NOT needs_review
