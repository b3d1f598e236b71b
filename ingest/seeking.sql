-- name: seek
SELECT r.event_key
FROM ingest.report r LEFT JOIN ingest.report_private p ON p.report_id = r.id
WHERE r.source = :source AND r.kind = :kind AND r.status = :status AND r.source_id <> :source_id
  AND r.reported_at BETWEEN CAST(:reported_at AS timestamptz) - interval '30 days' AND :reported_at
  AND (CAST(:category AS text) IS NULL OR r.facts ->> 'category' IS NULL OR r.facts ->> 'category' = :category)
  AND (CAST(:occurred_at AS text) IS NULL OR r.facts ->> 'occurred_at' IS NULL
       OR abs(extract(epoch FROM CAST(r.facts ->> 'occurred_at' AS timestamptz) - CAST(:occurred_at AS timestamptz))) <= 3600)
  AND (:place_text = '' OR coalesce(p.place_text, '') = '' OR p.place_text = :place_text
       OR ST_DWithin(geography(p.position), geography(ST_SetSRID(ST_MakePoint(:lon, :lat), 6668)), p.accuracy_m + :accuracy_m))
  -- Something besides the kind must agree.
  AND (r.facts ->> 'occurred_at' IS NOT NULL AND CAST(:occurred_at AS text) IS NOT NULL
       OR coalesce(p.place_text, '') <> '' AND :place_text <> '')
ORDER BY r.reported_at DESC, r.id DESC
LIMIT 1

-- name: follow
SELECT event_key FROM ingest.report
WHERE source = :source AND status = :status AND source_id = ANY(:source_ids)
ORDER BY reported_at DESC, id DESC
LIMIT 1

-- name: adopt
-- Withdrawals that found nothing when they came: the same likeness, looked at from the other side.
UPDATE ingest.report w SET event_key = :event_key
WHERE w.id = (
    SELECT r.id
    FROM ingest.report r LEFT JOIN ingest.report_private p ON p.report_id = r.id
    WHERE r.incident_fid IS NULL AND r.action = 'withdraw'
      AND r.source = :source AND r.kind = :kind AND r.status = :status AND r.source_id <> :source_id
      AND r.reported_at BETWEEN :reported_at AND CAST(:reported_at AS timestamptz) + interval '30 days'
      AND (CAST(:category AS text) IS NULL OR r.facts ->> 'category' IS NULL OR r.facts ->> 'category' = :category)
      AND (CAST(:occurred_at AS text) IS NULL OR r.facts ->> 'occurred_at' IS NULL
           OR abs(extract(epoch FROM CAST(r.facts ->> 'occurred_at' AS timestamptz) - CAST(:occurred_at AS timestamptz))) <= 3600)
      AND (:place_text = '' OR coalesce(p.place_text, '') = '' OR p.place_text = :place_text
           OR ST_DWithin(geography(p.position), geography(ST_SetSRID(ST_MakePoint(:lon, :lat), 6668)), p.accuracy_m + :accuracy_m))
      AND (r.facts ->> 'occurred_at' IS NOT NULL AND CAST(:occurred_at AS text) IS NOT NULL
           OR coalesce(p.place_text, '') <> '' AND :place_text <> '')
    ORDER BY r.reported_at, r.id
    LIMIT 1)
