-- name: due
-- A report that was published and is looked at again sends nothing new; nor does the end of its time.
SELECT c.id, c.reference, c.language, c.contact, c.created_at, c.answers, s.state
FROM ingest.citizen_report c, ingest.citizen_report_state(c.id) s
WHERE c.wants_mail AND c.contact <> '' AND s.state <> c.answered_state
  AND (s.state IN ('published', 'rejected', 'resolved') OR (s.state = 'received' AND c.answered_state = ''))
ORDER BY c.id LIMIT :most

-- name: hold
-- Whoever comes second finds it answered, or busy.
SELECT c.id FROM ingest.citizen_report c, ingest.citizen_report_state(c.id) s
WHERE c.id = :id AND c.wants_mail AND c.contact = :contact AND c.answers = :answers AND s.state = :state
FOR UPDATE OF c SKIP LOCKED

-- name: note
UPDATE ingest.citizen_report SET answered_state = :state, answers = answers + 1 WHERE id = :id

-- name: give_up
UPDATE ingest.citizen_report SET wants_mail = false WHERE id = :id
