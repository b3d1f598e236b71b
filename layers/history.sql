-- Run by psycopg: tables and columns are identifiers.

-- name: feature_history
-- A version ends where the next begins; a deletion has no span of its own.
-- Distances on the ellipsoid: they hold in the town as well as at a hypocentre far from its plane.
SELECT h.version, h.operation, h.valid_from,
       CASE h.operation WHEN 'delete' THEN h.valid_from ELSE lead(h.valid_from) OVER (ORDER BY h.version) END,
       ST_Distance(ST_Centroid(h.geom)::geography, ST_Centroid(p.geom)::geography),
       ST_Length(h.geom::geography) - ST_Length(p.geom::geography),
       ST_Area(h.geom::geography) - ST_Area(p.geom::geography),
       c.id, c.account, c.role_name, c.reason, c.created_at, {h_columns}
FROM {history} h
JOIN gis.changeset c ON c.id = h.changeset
LEFT JOIN {history} p ON p.fid = h.fid AND p.version = h.version - 1 AND p.geom IS DISTINCT FROM h.geom
WHERE h.fid = %(fid)s
ORDER BY h.version

-- name: layer_history
-- From one changeset to the next through the index: an import of a million features is one step, not a million rows.
WITH RECURSIVE page (changeset, place) AS (
    SELECT max(h.changeset), 1 FROM {history} h
    WHERE h.changeset < coalesce(%(before)s::bigint, 9223372036854775807)
    UNION ALL
    SELECT (SELECT max(h.changeset) FROM {history} h WHERE h.changeset < page.changeset), page.place + 1
    FROM page WHERE page.changeset IS NOT NULL AND page.place < %(limit)s
)
SELECT changeset FROM page WHERE changeset IS NOT NULL

-- name: attachment_changesets
SELECT h.changeset FROM gis.attachment_history h JOIN gis.attachment a ON a.id = h.attachment
WHERE a.layer = %(layer)s AND (%(before)s::bigint IS NULL OR h.changeset < %(before)s)
GROUP BY h.changeset ORDER BY h.changeset DESC LIMIT %(limit)s

-- name: person_history
SELECT id FROM gis.changeset
WHERE account = %(account)s AND (%(before)s::bigint IS NULL OR id < %(before)s)
ORDER BY id DESC LIMIT %(limit)s

-- name: counts
SELECT changeset, operation, count(*) FROM {history} WHERE changeset = ANY(%(ids)s::bigint[]) GROUP BY changeset, operation

-- name: changesets
SELECT id, account, role_name, reason, created_at FROM gis.changeset WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id DESC
