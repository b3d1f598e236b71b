-- name: recipients
-- Everyone the alert concerns: who has a place in its area and asked for its kind, and who got an earlier message of
-- its thread. One row per person, with the names of the places inside and where to measure distances from.
-- The plane is the town's zone in metres; the area is one row, so the join runs place_reach and zone_shape per area.
-- Late ones (:only_late) are those whose subscription changed unseen by the last freezing.
WITH message AS MATERIALIZED (
    SELECT a.id, a.kind, a.cap_status, a.msg_type, coalesce(a.thread_id, a.id) AS thread_id, u.seen,
           alerts.to_plane(a.area, CAST(:plane_epsg AS int)) AS plane
    FROM alerts.alert a LEFT JOIN alerts.audience u ON u.alert_id = a.id
    WHERE a.id = :alert_id
), inside AS (
    SELECT p.subscriber_id, array_agg(p.name ORDER BY p.id) AS names, (array_agg(p.plane ORDER BY p.id))[1] AS plane
    FROM message m CROSS JOIN LATERAL alerts.places_inside(m.plane) p
    GROUP BY p.subscriber_id
), earlier AS (
    -- A withdrawal answers the message that arrived; any other message also goes to whom it could not reach before.
    SELECT DISTINCT d.subscriber_id
    FROM message m
    JOIN alerts.alert a ON (a.thread_id = m.thread_id OR a.id = m.thread_id) AND a.id <> m.id
    JOIN alerts.delivery d ON d.alert_id = a.id
    WHERE CASE WHEN m.msg_type = 'Cancel' THEN d.state IN ('accepted', 'sending') ELSE d.state <> 'suppressed' END
)
SELECT s.id AS subscriber_id, s.email, s.language, coalesce(c.names, '{}') AS place_names,
       coalesce(c.plane, (SELECT p.plane FROM alerts.place p WHERE p.subscriber_id = s.id ORDER BY p.id LIMIT 1)) AS plane
FROM message m
CROSS JOIN (
    -- From the few concerned to the people, never through all subscribers.
    SELECT coalesce(i.subscriber_id, e.subscriber_id) AS subscriber_id, i.names, i.plane,
           i.subscriber_id IS NOT NULL AS is_inside, e.subscriber_id IS NOT NULL AS had_earlier
    FROM inside i FULL JOIN earlier e ON e.subscriber_id = i.subscriber_id
) c
JOIN alerts.subscriber s ON s.id = c.subscriber_id
WHERE s.state = 'confirmed'
  AND (NOT CAST(:only_late AS boolean) OR alerts.is_unseen(s.changed_xid, m.seen))
  AND (m.cap_status = 'Actual' OR s.is_drill)
  AND (c.had_earlier OR (m.msg_type <> 'Cancel' AND c.is_inside AND m.kind = ANY (s.kinds)))

-- name: insert_deliveries
-- Freezes the recipients with the three sites nearest to each.
-- Below level 4 a message waits for the end of the person's quiet hours, in the town's time; from 4 on it goes at once.
-- So does the withdrawal of such a one: who was sent away from home for nothing is told now.
WITH recipient AS MATERIALIZED ({recipients})
INSERT INTO alerts.delivery (alert_id, subscriber_id, address, language, place_names, pace, cell_north, cell_east, nearest_sites,
                             is_held, next_attempt_at)
SELECT :alert_id, r.subscriber_id, r.email, r.language, r.place_names,
       coalesce(CAST(:paces AS jsonb) ->> lower(substr(r.email, strpos(r.email, '@') + 1)), ''),
       floor(ST_Y(home.position) * 240), floor((ST_X(home.position) - 100) * 160),
       coalesce((
           SELECT jsonb_agg(jsonb_build_object('name', near.name, 'distance_m', round(near.distance_m::numeric, 1),
                                               'lon', near.lon, 'lat', near.lat) ORDER BY near.distance_m, near.fid)
           FROM (SELECT site.fid, site.name, site.lon, site.lat, site.plane <-> r.plane AS distance_m
                 FROM usable_site site ORDER BY site.plane <-> r.plane, site.fid LIMIT 3) near), '[]'),
       held.until IS NOT NULL, coalesce(held.until, now())
FROM recipient r
CROSS JOIN LATERAL (SELECT ST_Transform(r.plane, 6668) AS position OFFSET 0) home
CROSS JOIN LATERAL (
    SELECT CASE WHEN a.level < 4 AND NOT (a.phase = 'withdrawn' AND coalesce(answered.level, 0) >= 4) THEN alerts.quiet_end(s.quiet_from, s.quiet_until, now()) END AS until
    FROM alerts.subscriber s, alerts.alert a LEFT JOIN alerts.alert answered ON answered.id = a.references_id
    WHERE s.id = r.subscriber_id AND a.id = :alert_id
) held
ORDER BY r.subscriber_id
ON CONFLICT (alert_id, subscriber_id, channel) DO NOTHING

-- name: stage_sites
-- The usable sites in the town's plane, with an index that finds the nearest without looking at all.
-- Demonstration sites stand aside as soon as there are real ones; without a hazard there are none.
CREATE TEMPORARY TABLE usable_site (fid bigint, name text, lon numeric, lat numeric, plane geometry(Point)) ON COMMIT DROP

-- name: fill_sites
INSERT INTO usable_site
SELECT s.fid, s.name, round(ST_X(s.geom)::numeric, 6) AS lon, round(ST_Y(s.geom)::numeric, 6) AS lat,
       ST_Transform(s.geom, CAST(:plane_epsg AS int)) AS plane
FROM layers.evacuation_site s
WHERE CASE CAST(:hazard AS text) WHEN 'tsunami' THEN s.tsunami WHEN 'flood' THEN s.flood WHEN 'landslide' THEN s.landslide
                   WHEN 'storm_surge' THEN s.storm_surge WHEN 'earthquake' THEN s.earthquake
                   WHEN 'large_fire' THEN s.large_fire ELSE false END
  AND (NOT s.is_demo OR NOT EXISTS (SELECT FROM layers.evacuation_site r WHERE NOT r.is_demo))

-- name: index_sites
-- Usage: the three sites nearest to each recipient.
CREATE INDEX ON usable_site USING gist (plane)

-- name: drop_sites
DROP TABLE usable_site

-- name: count_recipients
SELECT language, count(*) AS people FROM ({recipients}) r GROUP BY language

-- name: suppress_held
-- What waited for the morning is overtaken by a newer message of its thread.
UPDATE alerts.delivery d SET state = 'suppressed', finished_at = now(), reason = 'overtaken'
FROM alerts.delivery newer, alerts.alert a, alerts.alert older
WHERE newer.alert_id = :alert_id AND a.id = :alert_id AND older.id = d.alert_id
  AND coalesce(older.thread_id, older.id) = coalesce(a.thread_id, a.id) AND older.id < a.id
  AND d.subscriber_id = newer.subscriber_id AND d.is_held AND d.state IN ('pending', 'deferred')

-- name: running_alerts
-- Alerts that still hold and that somebody may have subscribed too late for.
SELECT a.id, a.kind, a.phase, u.seen FROM alerts.alert a JOIN alerts.audience u ON u.alert_id = a.id
WHERE a.state IN ('sending', 'sent') AND a.phase IN ('issued', 'updated') AND a.expires_at > clock_timestamp()
  AND EXISTS (SELECT FROM alerts.subscriber s WHERE s.state = 'confirmed' AND alerts.is_unseen(s.changed_xid, u.seen)
              AND (s.changed_xid >= pg_snapshot_xmin(u.seen) OR pg_snapshot_xmax(u.seen) > pg_snapshot_xmax(pg_current_snapshot())))
ORDER BY a.id
-- An answer to one of them waits until its late ones are written, so that it reaches them, too; what is being answered is left alone.
FOR SHARE OF a SKIP LOCKED

-- name: note_audience
-- In a statement of its own before the recipients are read: who commits in between is looked at twice, never missed.
INSERT INTO alerts.audience (alert_id, seen) VALUES (:alert_id, pg_current_snapshot())

-- name: read_snapshot
SELECT CAST(pg_current_snapshot() AS text)

-- name: move_audience
UPDATE alerts.audience SET seen = CAST(:seen AS pg_snapshot) WHERE alert_id = :alert_id
