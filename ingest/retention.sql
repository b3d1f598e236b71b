-- Rules are the installation's, by kind and source; kind * is for what nobody thought of.
-- Ages count from when it happened, but never from later than when it came in: a clock in the future forgets as well.

-- name: expired_incidents
WITH rule AS (
    SELECT * FROM jsonb_to_recordset(:policies) AS p (kind text, source text, public_days int)
)
SELECT i.fid
FROM layers.incident i
WHERE i.is_personal
  AND (i.publication IN ('published', 'pending', 'held')
       OR i.publication = 'merged' AND EXISTS (SELECT FROM ingest.merge m WHERE m.incident_fid = i.fid AND m.undone_at IS NULL
                                               AND m.publication_before <> 'expired'))
  AND EXISTS (
      SELECT FROM ingest.report r
      CROSS JOIN LATERAL (
          SELECT p.public_days AS days FROM rule p WHERE p.kind IN (r.kind, '*') AND p.source IN (r.source, '')
          ORDER BY p.kind = '*', p.source DESC LIMIT 1
      ) AS own
      WHERE r.incident_fid = i.fid AND own.days > 0
        AND least(coalesce(i.occurred_at, r.reported_at), i.created_at) < now() - make_interval(days => own.days))
ORDER BY i.fid
LIMIT :most
FOR UPDATE OF i SKIP LOCKED

-- name: due_reports
WITH rule AS (
    SELECT * FROM jsonb_to_recordset(:policies) AS p (kind text, source text, precise_days int)
)
SELECT r.id
FROM ingest.report_private x
JOIN ingest.report r ON r.id = x.report_id
LEFT JOIN ingest.held_incident h ON h.incident_fid = r.incident_fid
CROSS JOIN LATERAL (
    SELECT p.precise_days AS days FROM rule p WHERE p.kind IN (r.kind, '*') AND p.source IN (r.source, '')
          ORDER BY p.kind = '*', p.source DESC LIMIT 1
) AS own
WHERE x.erased_at IS NULL AND h.incident_fid IS NULL AND own.days > 0
  AND least(r.reported_at, r.created_at) < now() - make_interval(days => own.days)
ORDER BY r.id
LIMIT :most
FOR UPDATE OF x SKIP LOCKED

-- name: due_incidents
-- A person's incident whose every report has been erased, or is older than it may be, loses its words, too.
WITH rule AS (
    SELECT * FROM jsonb_to_recordset(:policies) AS p (kind text, source text, precise_days int)
)
SELECT i.fid
FROM layers.incident i
LEFT JOIN ingest.retention h ON h.incident_fid = i.fid
WHERE i.is_personal AND NOT EXISTS (SELECT FROM ingest.held_incident x WHERE x.incident_fid = i.fid)
  AND (i.headline IS NOT NULL OR i.description IS NOT NULL OR h.erased_at IS NULL)
  AND EXISTS (SELECT FROM ingest.report r WHERE r.incident_fid = i.fid)
  AND NOT EXISTS (
      SELECT FROM ingest.report r
      LEFT JOIN ingest.report_private x ON x.report_id = r.id
      CROSS JOIN LATERAL (
          SELECT p.precise_days AS days FROM rule p WHERE p.kind IN (r.kind, '*') AND p.source IN (r.source, '')
          ORDER BY p.kind = '*', p.source DESC LIMIT 1
      ) AS own
      WHERE r.incident_fid = i.fid AND x.erased_at IS NULL
        AND (own.days = 0 OR least(r.reported_at, r.created_at) >= now() - make_interval(days => own.days)))
ORDER BY i.fid
LIMIT :most
FOR UPDATE OF i SKIP LOCKED

-- name: due_documents
-- A private body goes when no report of it is kept any more; one that brought none (rejected) after the careful time.
WITH rule AS (
    SELECT * FROM jsonb_to_recordset(:policies) AS p (kind text, source text, precise_days int)
)
SELECT d.id
FROM ingest.document d
WHERE d.is_private AND d.erased_at IS NULL AND d.parsed_at IS NOT NULL
  AND (EXISTS (SELECT FROM ingest.report r WHERE r.document_id = d.id)
       OR d.received_at < now() - (SELECT make_interval(days => precise_days) FROM rule WHERE kind = '*' AND source = ''))
  AND NOT EXISTS (
      SELECT FROM ingest.report r
      LEFT JOIN ingest.report_private x ON x.report_id = r.id
      LEFT JOIN ingest.held_incident h ON h.incident_fid = r.incident_fid
      CROSS JOIN LATERAL (
          SELECT p.precise_days AS days FROM rule p WHERE p.kind IN (r.kind, '*') AND p.source IN (r.source, '')
          ORDER BY p.kind = '*', p.source DESC LIMIT 1
      ) AS own
      WHERE r.document_id = d.id
        AND (h.incident_fid IS NOT NULL
             OR x.erased_at IS NULL
                AND (own.days = 0 OR least(r.reported_at, r.created_at) >= now() - make_interval(days => own.days))))
ORDER BY d.id
LIMIT :most
FOR UPDATE OF d SKIP LOCKED

-- name: expire
-- A member stays part of its lead; what it would get back is no longer public.
WITH given_back AS (
    UPDATE ingest.merge SET publication_before = 'expired'
    WHERE incident_fid = ANY(:fids) AND undone_at IS NULL AND publication_before <> 'expired'
)
UPDATE layers.incident SET publication = 'expired' WHERE fid = ANY(:fids) AND publication NOT IN ('expired', 'merged')

-- name: note_expired
INSERT INTO ingest.retention (incident_fid, expired_at) SELECT fid, now() FROM unnest(:fids) AS fid
ON CONFLICT (incident_fid) DO UPDATE SET expired_at = now()

-- name: erase_private
-- The row stays: it tells that this report must never be written again.
INSERT INTO ingest.report_private AS old (report_id, erased_at) SELECT id, now() FROM unnest(:ids) AS id
ON CONFLICT (report_id) DO UPDATE SET
    position = NULL, accuracy_m = NULL, place_text = '', original = '', details = '{}', erased_at = now()

-- name: erase_shown_position
-- The area stays as it is shown; the place that it was chosen for goes when the last report that knows it has gone.
UPDATE ingest.shown_place s SET position = NULL, accuracy_m = 0
WHERE s.incident_fid IN (SELECT r.incident_fid FROM ingest.report r WHERE r.id = ANY(:ids))
  AND NOT EXISTS (SELECT FROM ingest.report r JOIN ingest.report_private x ON x.report_id = r.id
                  WHERE r.incident_fid = s.incident_fid AND x.position IS NOT NULL)

-- name: blank_answers
-- What a moderator told a citizen about a report.
UPDATE ingest.citizen_report SET public_reason = ''
WHERE public_reason <> '' AND reference IN (
    SELECT split_part(r.source_id, ':', 1) FROM ingest.report r WHERE r.id = ANY(:ids) AND r.source = 'citizen')

-- name: of_persons
-- Those of some reports whose kind concerns persons.
WITH rule AS (
    SELECT * FROM jsonb_to_recordset(:policies) AS p (kind text, source text, is_personal boolean)
)
SELECT r.id FROM ingest.report r
WHERE r.id = ANY(:ids)
  AND (SELECT p.is_personal FROM rule p WHERE p.kind IN (r.kind, '*') AND p.source IN (r.source, '')
       ORDER BY p.kind = '*', p.source DESC LIMIT 1)

-- name: blank_public_words
WITH blanked AS (
    UPDATE ingest.report SET headline = '', text = '', facts = (
        SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(facts) WHERE key = ANY(:kept))
    WHERE id = ANY(:ids)
)
UPDATE ingest.situation SET headline = '', text = '', facts = (
    SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(facts) WHERE key = ANY(:kept))
WHERE report_id = ANY(:ids)

-- name: blank_incidents
UPDATE layers.incident SET headline = NULL, description = NULL
WHERE fid = ANY(:fids) AND (headline IS NOT NULL OR description IS NOT NULL)

-- name: blank_history
-- Words in the history of the layer, in the notes and the log of the desk, in likenesses.
SELECT ingest.blank_history(CAST(:fids AS bigint[]))

-- name: blank_moderation
WITH words AS (
    UPDATE ingest.moderation SET headline = NULL, description = NULL, said = '{}', says = '{}', reason = ''
    WHERE incident_fid = ANY(:fids)
)
UPDATE ingest.merge SET reasons = '[]', reason = '', undo_reason = ''
WHERE incident_fid = ANY(:fids) OR into_fid = ANY(:fids)

-- name: look_again
UPDATE layers.incident SET needs_review = true WHERE fid = :fid AND NOT needs_review

-- name: note_erased
INSERT INTO ingest.retention (incident_fid, erased_at) SELECT fid, now() FROM unnest(:fids) AS fid
ON CONFLICT (incident_fid) DO UPDATE SET erased_at = now()

-- name: blank_documents
-- Name (a mail's may be its subject) and body go; hash and times stay, so that the same one is not taken for new.
UPDATE ingest.document SET body = '', name = 'erased', erased_at = now() WHERE id = ANY(:ids)

-- name: blank_dead_letters
UPDATE ingest.dead_letter SET reason = '' WHERE document_id = ANY(:ids)

-- name: erase_citizen
-- Contact, photos (published ones, too) and whence it came, of the citizen whose report or addition this is.
WITH sender AS (
    UPDATE ingest.citizen_report
    SET contact = '', wants_mail = false, network_key = '', device_key = '', text_key = '', contact_key = '', erased_at = now()
    WHERE reference = split_part(:source_id, ':', 1) RETURNING id
),
photo AS (
    UPDATE ingest.citizen_photo SET body = NULL, thumbnail = NULL WHERE report_id IN (SELECT id FROM sender)
    RETURNING attachment
)
SELECT ingest.erase_citizen_attachments(coalesce(array_agg(attachment) FILTER (WHERE attachment IS NOT NULL), '{}')) FROM photo

-- name: report
SELECT r.id, r.source, r.source_id, r.incident_fid, r.document_id, d.is_private AS is_private_document, h.held_reason, m.into_fid
FROM ingest.report r JOIN ingest.document d ON d.id = r.document_id
LEFT JOIN ingest.merge m ON m.incident_fid = r.incident_fid AND m.undone_at IS NULL
LEFT JOIN ingest.held_incident h ON h.incident_fid = r.incident_fid
WHERE r.id = :id

-- name: hold
INSERT INTO ingest.retention AS old (incident_fid, held_reason, held_by, held_at)
SELECT fid, CAST(:reason AS text), CASE WHEN CAST(:reason AS text) IS NOT NULL THEN gis.current_account() END,
       CASE WHEN CAST(:reason AS text) IS NOT NULL THEN now() END
FROM layers.incident WHERE fid = :fid
ON CONFLICT (incident_fid) DO UPDATE SET
    held_reason = excluded.held_reason, held_by = excluded.held_by, held_at = excluded.held_at
RETURNING incident_fid

-- name: note
INSERT INTO ingest.erasure (what, rule, reason, count, ids)
VALUES (:what, :rule, :reason, cardinality(CAST(:ids AS bigint[])), CAST(:ids AS bigint[]))
