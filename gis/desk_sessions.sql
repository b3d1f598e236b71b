-- Sessions of people at the desk. One that is over by its age is not found, whether or not it was ended.

-- name: start
INSERT INTO gis.session (token_sha256, account, department, user_agent, network, second_factor_at)
VALUES (:token, :account, :department, :user_agent, :network, CASE WHEN :with_code THEN now() END)

-- name: resume
SELECT id, account, department, seen_at < now() - interval '1 minute' AS is_stale
FROM gis.session
WHERE token_sha256 = :token AND ended_at IS NULL
  AND created_at > now() - interval '12 hours' AND seen_at > now() - interval '60 minutes'
  AND (second_factor_at IS NOT NULL OR NOT gis.has_second_factor(account))

-- name: mark_code
UPDATE gis.session SET second_factor_at = now() WHERE id = :id

-- name: note_proof
UPDATE gis.session SET proved_at = clock_timestamp() WHERE id = :id AND account = :account AND ended_at IS NULL

-- name: end_others
UPDATE gis.session SET ended_at = now() WHERE account = :account AND id <> :id AND ended_at IS NULL

-- name: list
SELECT id, account, department, created_at, seen_at, user_agent, network
FROM gis.session
WHERE ended_at IS NULL AND created_at > now() - interval '12 hours' AND seen_at > now() - interval '60 minutes'
  AND (CAST(:account AS text) IS NULL OR account = :account)
ORDER BY id DESC

-- name: end
UPDATE gis.session SET ended_at = now()
WHERE id = :id AND ended_at IS NULL AND (CAST(:account AS text) IS NULL OR account = :account)

-- name: end_all
UPDATE gis.session SET ended_at = now() WHERE account = :account AND ended_at IS NULL
