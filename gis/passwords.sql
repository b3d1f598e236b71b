-- Passwords and the pauses after wrong ones.

-- name: read
-- Locked, so that tries at the same moment are counted one after the other.
SELECT password_hash, coalesce(locked_until > now(), false) AS is_locked
FROM gis.account WHERE name = :name AND is_active FOR UPDATE

-- name: count_failure
UPDATE gis.account
SET failed_logins = failed_logins + 1,
    locked_until = CASE WHEN failed_logins + 1 >= 5
                        THEN now() + make_interval(mins => least(60, 2 ^ least(failed_logins - 4, 6))::int) END
WHERE name = :name

-- name: count_success
UPDATE gis.account SET last_login_at = now(), failed_logins = 0, locked_until = NULL WHERE name = :name

-- name: set_password
UPDATE gis.account SET password_hash = :hash, failed_logins = 0, locked_until = NULL WHERE name = :name

-- name: end_sessions
UPDATE gis.session SET ended_at = now()
WHERE account = :name AND ended_at IS NULL AND id IS DISTINCT FROM CAST(:kept AS bigint)
