-- name: waiting
SELECT fid, level, kind, publication, created_at, headline
FROM layers.incident WHERE (publication = 'pending' OR needs_review) AND publication <> 'merged'
ORDER BY status <> 'Actual', level DESC, created_at, fid
LIMIT 200
