-- Run by psycopg.

-- name: record
INSERT INTO gis.merged_edit (changeset, layer, fid, base_version, theirs_version, theirs, mine)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING -- two batches of one transaction: what the first found is what others did

-- name: of_changeset
SELECT m.layer, m.fid, m.base_version, m.theirs_version, m.theirs, m.mine
FROM gis.merged_edit m WHERE m.changeset = %s AND (m.layer, m.fid) IN (SELECT * FROM unnest(%s::text[], %s::bigint[]))

-- name: of_feature
SELECT changeset, base_version, theirs_version, theirs, mine FROM gis.merged_edit WHERE layer = %s AND fid = %s
