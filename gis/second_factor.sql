-- Second factors and recovery codes.

-- name: begin
INSERT INTO gis.second_factor (account, salt) VALUES (:name, :salt)
ON CONFLICT (account) DO UPDATE SET salt = excluded.salt WHERE gis.second_factor.confirmed_at IS NULL

-- name: read
-- Locked, so that tries at the same moment are counted one after the other.
SELECT f.salt, f.confirmed_at IS NOT NULL AS is_confirmed, f.last_step, coalesce(f.locked_until > now(), false) AS is_locked
FROM gis.second_factor f
WHERE f.account = :name
FOR UPDATE

-- name: confirm
UPDATE gis.second_factor SET confirmed_at = now(), last_step = :step WHERE account = :name

-- name: count_success
UPDATE gis.second_factor SET last_step = greatest(last_step, :step), failures = 0, locked_until = NULL WHERE account = :name

-- name: count_failure
-- The same pauses as after wrong passwords (passwords.sql), counted apart: a right password does not reset them.
UPDATE gis.second_factor
SET failures = failures + 1,
    locked_until = CASE WHEN failures + 1 >= 5
                        THEN now() + make_interval(mins => least(60, 2 ^ least(failures - 4, 6))::int) END
WHERE account = :name

-- name: use_recovery_code
UPDATE gis.recovery_code SET used_at = now() WHERE account = :name AND code_hmac = :code AND used_at IS NULL

-- name: forget_recovery_codes
DELETE FROM gis.recovery_code WHERE account = :name

-- name: keep_recovery_code
INSERT INTO gis.recovery_code (account, code_hmac) VALUES (:name, :code)

-- name: count_recovery_codes
SELECT count(*) FROM gis.recovery_code WHERE account = :name AND used_at IS NULL
