-- name: likeness
-- Whether report r (with its private part p) may speak of the same event as the one that is asked about.
r.source = :source AND r.kind = :kind AND r.status = :status AND r.source_id <> :source_id
  AND (CAST(:category AS text) IS NULL OR r.facts ->> 'category' IS NULL OR r.facts ->> 'category' = :category)
  AND (CAST(:occurred_at AS text) IS NULL OR r.facts ->> 'occurred_at' IS NULL
       OR abs(extract(epoch FROM CAST(r.facts ->> 'occurred_at' AS timestamptz) - CAST(:occurred_at AS timestamptz))) <= 3600)
  AND (:place_text = '' OR coalesce(p.place_text, '') = '' OR p.place_text = :place_text
       OR ST_DWithin(geography(p.position), geography(ST_SetSRID(ST_MakePoint(:lon, :lat), 6668)), p.accuracy_m + :accuracy_m))
  -- Something besides the kind must agree.
  AND (r.facts ->> 'occurred_at' IS NOT NULL AND CAST(:occurred_at AS text) IS NOT NULL
       OR coalesce(p.place_text, '') <> '' AND :place_text <> '')

-- name: seek
SELECT r.event_key
FROM ingest.report r LEFT JOIN ingest.report_private p ON p.report_id = r.id
WHERE {likeness}
  AND r.reported_at BETWEEN CAST(:reported_at AS timestamptz) - interval '30 days' AND :reported_at
ORDER BY r.reported_at DESC, r.id DESC
LIMIT 1

-- name: follow
SELECT event_key FROM ingest.report
WHERE source = :source AND status = :status AND source_id = ANY(:source_ids)
ORDER BY reported_at DESC, id DESC
LIMIT 1

-- name: early
-- The event that a correction or an end of it began, because it came before the report it speaks of. A report that is known
-- already stays where it is: read once more, it would leave its event, or be drawn into another.
SELECT event_key FROM (
    SELECT k.event_key, 0 AS rank, k.reported_at, k.id FROM ingest.report k WHERE k.source = :source AND k.source_id = :source_id
    UNION ALL
    SELECT r.event_key, 1, r.reported_at, r.id
    FROM ingest.report r LEFT JOIN ingest.report_private p ON p.report_id = r.id
    WHERE {likeness}
      AND r.reported_at BETWEEN :reported_at AND CAST(:reported_at AS timestamptz) + interval '30 days'
      AND (r.action = 'correct' OR r.action = 'issue' AND CAST(r.facts ->> 'is_over' AS boolean))
      AND NOT EXISTS (SELECT FROM ingest.report o WHERE o.event_key = r.event_key AND o.action = 'issue'
                      AND NOT coalesce(CAST(o.facts ->> 'is_over' AS boolean), false))
) found
ORDER BY rank, reported_at, id
LIMIT 1

-- name: adopt
-- Withdrawals that found nothing when they came.
UPDATE ingest.report w SET event_key = :event_key
WHERE w.id = (
    SELECT r.id
    FROM ingest.report r LEFT JOIN ingest.report_private p ON p.report_id = r.id
    WHERE {likeness}
      AND r.reported_at BETWEEN :reported_at AND CAST(:reported_at AS timestamptz) + interval '30 days'
      AND r.incident_fid IS NULL AND r.action = 'withdraw'
    ORDER BY r.reported_at, r.id
    LIMIT 1)
