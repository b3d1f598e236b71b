-- name: source_signs
-- Per source: since when it fails, when the last new document came by itself, and the time its newest report bears.
SELECT s.name, s.last_error, s.failing_since, s.paused_at IS NOT NULL AS is_paused,
       greatest(coalesce(heard.received_at, s.first_seen_at), s.first_seen_at) AS heard_at,
       newest.reported_at, newest.created_at AS newest_at
FROM ingest.source s
LEFT JOIN LATERAL (
    SELECT d.received_at FROM ingest.document d
    WHERE d.source = s.name AND d.origin IN ('feed', 'push') ORDER BY d.id DESC LIMIT 1
) AS heard ON true
LEFT JOIN LATERAL (
    -- Of a clock that is ahead, reported_at may have been brought back (ingest/processing.py).
    SELECT greatest(r.reported_at, r.controlled_at) AS reported_at, r.created_at
    FROM ingest.report r JOIN ingest.document d ON d.id = r.document_id
    WHERE r.source = s.name AND d.origin IN ('feed', 'push') ORDER BY r.id DESC LIMIT 1
) AS newest ON true
WHERE s.name = ANY(:names)

-- name: raise_alarm
INSERT INTO ingest.alarm AS a (source, cause, since, reason) VALUES (:source, :cause, :since, :reason)
ON CONFLICT (source, cause) WHERE closed_at IS NULL
DO UPDATE SET last_seen_at = now(), reason = excluded.reason

-- name: close_alarms
-- Those that were not raised by this look.
UPDATE ingest.alarm SET closed_at = now() WHERE closed_at IS NULL AND last_seen_at < now()

-- name: to_mail
-- Not more than one mail an hour for one cause, however often it comes and goes; locked, so that one worker sends it.
SELECT a.id, a.source, a.cause, a.since, a.reason
FROM ingest.alarm a
WHERE a.closed_at IS NULL AND a.mailed_at IS NULL
  AND NOT EXISTS (SELECT FROM ingest.alarm o
                  WHERE o.source = a.source AND o.cause = a.cause AND o.mailed_at > now() - interval '1 hour')
ORDER BY a.id
LIMIT 1 FOR UPDATE OF a SKIP LOCKED

-- name: note_mail
UPDATE ingest.alarm SET mailed_at = now() WHERE id = :id

-- name: to_mail_back
-- Whoever was told of it is told that it is over.
SELECT a.id, a.source, a.cause, a.since, a.reason
FROM ingest.alarm a
WHERE a.closed_at IS NOT NULL AND a.mailed_at IS NOT NULL AND a.back_mailed_at IS NULL
ORDER BY a.id
LIMIT 1 FOR UPDATE OF a SKIP LOCKED

-- name: note_back
UPDATE ingest.alarm SET back_mailed_at = now() WHERE id = :id

-- name: standing
SELECT source, cause, since, reason, opened_at, last_seen_at, mailed_at
FROM ingest.alarm WHERE closed_at IS NULL ORDER BY since
