-- Run by psycopg. Row policies keep each account to its own rows; the account is named all the same, for the key.

-- name: take_turn
-- Until the transaction ends; the letters keep these locks apart from others of the same text.
SELECT pg_advisory_xact_lock(hashtextextended('saved_edit ' || gis.current_account() || ' ' || %(key)s, 0))

-- name: find_answer
SELECT asked, changeset, answer FROM gis.saved_edit WHERE account = gis.current_account() AND key = %(key)s

-- name: keep_answer
INSERT INTO gis.saved_edit (account, key, asked, changeset, answer)
VALUES (gis.current_account(), %(key)s, %(asked)s, %(changeset)s, %(answer)s)

-- name: forget_answers
DELETE FROM gis.saved_edit WHERE saved_at < now() - make_interval(days => %(days)s)
