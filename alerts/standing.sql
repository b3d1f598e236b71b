-- Standing approvals, read and written as dept_disaster.

-- name: list
SELECT s.*, CASE WHEN s.revoked_at IS NOT NULL THEN 'revoked' WHEN s.valid_until <= now() THEN 'ended'
                 WHEN s.approved_at IS NULL THEN 'proposed' WHEN s.valid_from > now() THEN 'future' ELSE 'in_force' END AS state,
       (SELECT count(*) FROM alerts.alert a WHERE a.standing_id = s.id) AS messages,
       (SELECT string_agg(DISTINCT p.note, '; ') FROM alerts.policy p
        WHERE p.telegram = s.telegram AND p.level = ANY (s.levels) AND p.note <> '') AS notes
FROM alerts.standing_approval s
ORDER BY s.revoked_at IS NOT NULL OR coalesce(s.valid_until <= now(), false), s.approved_at IS NOT NULL,
         s.occasion <> 'first', s.telegram, s.id

-- name: subjects
-- What the policy leaves to people or sends by itself; what it ignores cannot be approved beforehand.
SELECT telegram, 'first' AS occasion, array_agg(level ORDER BY level) AS levels, string_agg(note, '; ' ORDER BY level DESC) AS notes
FROM alerts.policy WHERE action <> 'ignore' AND level >= :least GROUP BY telegram
UNION ALL
SELECT telegram, 'follow_up', array_agg(level ORDER BY level), string_agg(note, '; ' ORDER BY level DESC)
FROM alerts.policy WHERE follow_up <> 'ignore' GROUP BY telegram
ORDER BY telegram, occasion

-- name: insert
INSERT INTO alerts.standing_approval (telegram, occasion, levels, reason, proposed_by, valid_from, valid_until)
VALUES (:telegram, :occasion, :levels, :reason, :account, :valid_from, :valid_until) RETURNING id

-- name: lock
SELECT id, proposed_by, approved_by, revoked_by FROM alerts.standing_approval WHERE id = :id FOR UPDATE

-- name: approve
UPDATE alerts.standing_approval SET approved_by = :account, approved_at = now() WHERE id = :id

-- name: revoke
UPDATE alerts.standing_approval SET revoked_by = :account, revoked_at = now(), revoke_reason = :reason WHERE id = :id
