-- name: forget_files
DELETE FROM gis.checkin_file WHERE uploaded_at < now() - make_interval(days => :days)
RETURNING checkout_id, account, name, uploaded_at
