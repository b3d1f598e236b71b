-- Photos and documents beside features. Run by psycopg; tables of layers are identifiers.

-- name: list
-- What stands beside a feature, with the offered place of the own pictures and how far it is from the feature.
SELECT a.id, a.layer, a.fid, a.version, a.name, a.media_type, a.byte_size, a.sha256, a.width, a.height, a.caption,
       a.taken_at, a.is_public, a.is_removed, a.is_erased, a.added_at, a.added_by,
       ST_X(o.place), ST_Y(o.place), ST_Distance(o.place::geography, f.geom::geography)
FROM gis.attachment a
LEFT JOIN gis.attachment_offer o ON o.attachment = a.id
LEFT JOIN {layer} f ON f.fid = a.fid
WHERE a.layer = %(layer)s AND a.fid = %(fid)s AND (NOT a.is_removed OR %(with_removed)s)
ORDER BY a.is_removed, a.rank, a.id

-- name: find
SELECT layer, fid, media_type, sha256, name, is_removed, is_erased FROM gis.attachment WHERE id = %(id)s

-- name: add
INSERT INTO gis.attachment (layer, fid, name, media_type, byte_size, sha256, width, height, caption, taken_at, rank)
VALUES (%(layer)s, %(fid)s, %(name)s, %(media_type)s, %(byte_size)s, %(sha256)s, %(width)s, %(height)s, %(caption)s,
        %(taken_at)s, (SELECT coalesce(max(rank), 0) + 1 FROM gis.attachment WHERE layer = %(layer)s AND fid = %(fid)s))
RETURNING id

-- name: add_body
INSERT INTO gis.attachment_body (attachment, body, thumbnail) VALUES (%(id)s, %(body)s, %(thumbnail)s)

-- name: add_offer
INSERT INTO gis.attachment_offer (attachment, place)
VALUES (%(id)s, ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 6668))

-- name: may_hold
-- The same question as gis.hold_feature, without waiting.
SELECT true FROM {layer}
WHERE fid = %(fid)s AND coalesce(has_table_privilege(to_regclass(format('layers.%%I', %(layer)s || '_personal')), 'UPDATE'), true)
FOR NO KEY UPDATE NOWAIT

-- name: change
UPDATE gis.attachment SET caption = %(caption)s, is_public = %(is_public)s
WHERE id = %(id)s AND version = %(version)s AND NOT is_removed

-- name: remove
UPDATE gis.attachment SET is_removed = %(is_removed)s WHERE id = %(id)s AND is_removed <> %(is_removed)s

-- name: order
UPDATE gis.attachment a SET rank = wanted.rank
FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS wanted (id, rank)
WHERE a.id = wanted.id AND a.layer = %(layer)s AND a.fid = %(fid)s AND NOT a.is_removed AND a.rank <> wanted.rank

-- name: read
SELECT a.media_type, a.name, a.sha256, CASE WHEN %(is_small)s THEN b.thumbnail ELSE b.body END
FROM gis.attachment a JOIN gis.attachment_body b ON b.attachment = a.id
WHERE a.id = %(id)s

-- name: read_open
SELECT a.media_type, a.layer || '-' || a.fid || '-' || a.id, a.sha256, CASE WHEN %(is_small)s THEN b.thumbnail ELSE b.body END
FROM open.attachment a JOIN open.attachment_body b ON b.attachment = a.id
WHERE a.id = %(id)s

-- name: list_open
SELECT id, fid, media_type, byte_size, width, height, caption FROM open.attachment
WHERE layer = %(layer)s AND fid = ANY(%(fids)s) ORDER BY fid, rank, id

-- name: events
-- What happened to attachments of a feature, or in a changeset, the newest first.
SELECT a.id, a.layer, a.fid, a.name, a.media_type, a.is_erased, h.operation, h.changed_at, h.caption, h.is_public, h.is_removed,
       p.caption, p.is_public, p.rank IS DISTINCT FROM h.rank, c.id, c.account, c.role_name, c.reason, c.created_at
FROM gis.attachment_history h
JOIN gis.attachment a ON a.id = h.attachment
JOIN gis.changeset c ON c.id = h.changeset
LEFT JOIN gis.attachment_history p ON p.attachment = h.attachment AND p.version = h.version - 1
WHERE h.changeset = %(changeset)s OR (a.layer = %(layer)s AND a.fid = %(fid)s)
ORDER BY h.changeset DESC, a.id, h.version DESC
LIMIT %(most)s

-- name: spans
-- Each attachment before and after a changeset, as it is now, and the last changeset that touched it since.
SELECT a.id, a.layer, a.fid, a.is_erased, spans.last,
       before.caption, before.is_public, before.rank, before.is_removed,
       after.caption, after.is_public, after.rank, after.is_removed,
       a.caption, a.is_public, a.rank, a.is_removed
FROM (SELECT attachment, min(version) AS first, max(version) AS last FROM gis.attachment_history
      WHERE changeset = %(changeset)s GROUP BY attachment) AS spans
JOIN gis.attachment a ON a.id = spans.attachment
JOIN gis.attachment_history after ON after.attachment = a.id AND after.version = spans.last
LEFT JOIN gis.attachment_history before ON before.attachment = a.id AND before.version = spans.first - 1
ORDER BY a.id

-- name: later
SELECT h.version, h.operation, c.id, c.account, c.role_name, c.reason, c.created_at
FROM gis.attachment_history h JOIN gis.changeset c ON c.id = h.changeset
WHERE h.attachment = %(id)s AND h.version > %(version)s AND h.changeset <> %(changeset)s
ORDER BY h.version

-- name: put_back
UPDATE gis.attachment SET caption = %(caption)s, is_public = %(is_public)s, rank = %(rank)s, is_removed = %(is_removed)s
WHERE id = %(id)s
