-- name: enter
SELECT set_config('machimori.desk', 'on', true), set_config('machimori.reason', '', true)

-- name: log_step
INSERT INTO ingest.moderation_step (incident_fid, act, reason, overrode) VALUES (:fid, :act, :reason, :overrode)
