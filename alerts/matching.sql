-- name: recipients
-- Everyone the alert concerns: who has a place in its area and asked for its kind, and who got an earlier message of
-- its thread. One row per person, with the names of the places inside and where to measure distances from.
-- The plane is the town's zone in metres; the area is one row, so the join runs place_reach per area.
WITH message AS MATERIALIZED (
    SELECT a.id, a.kind, a.cap_status, a.msg_type, coalesce(a.thread_id, a.id) AS thread_id,
           ST_Transform(a.area, CAST(:plane_epsg AS int)) AS plane
    FROM alerts.alert a WHERE a.id = :alert_id
), inside AS (
    SELECT p.subscriber_id, array_agg(p.name ORDER BY p.id) AS names, (array_agg(p.plane ORDER BY p.id))[1] AS plane
    FROM message m
    JOIN alerts.place p ON ST_Expand(p.plane, p.radius_m) && m.plane AND ST_DWithin(p.plane, m.plane, p.radius_m)
    GROUP BY p.subscriber_id
), earlier AS (
    -- A withdrawal answers the message that arrived; any other message also goes to whom it could not reach before.
    SELECT DISTINCT d.subscriber_id
    FROM message m
    JOIN alerts.alert a ON (a.thread_id = m.thread_id OR a.id = m.thread_id) AND a.id <> m.id
    JOIN alerts.delivery d ON d.alert_id = a.id
    WHERE CASE WHEN m.msg_type = 'Cancel' THEN d.state IN ('accepted', 'sending') ELSE d.state <> 'suppressed' END
)
SELECT s.id AS subscriber_id, s.email, s.language, coalesce(i.names, '{}') AS place_names,
       coalesce(i.plane, (SELECT p.plane FROM alerts.place p WHERE p.subscriber_id = s.id ORDER BY p.id LIMIT 1)) AS plane
FROM message m
CROSS JOIN alerts.subscriber s
LEFT JOIN inside i ON i.subscriber_id = s.id
LEFT JOIN earlier e ON e.subscriber_id = s.id
WHERE s.state = 'confirmed'
  AND (m.cap_status = 'Actual' OR s.is_drill)
  AND (e.subscriber_id IS NOT NULL OR (m.msg_type <> 'Cancel' AND i.subscriber_id IS NOT NULL AND m.kind = ANY (s.kinds)))

-- name: insert_deliveries
-- Freezes the recipients with the three sites nearest to each (:hazard '' = the message names none).
-- Demonstration sites stand aside as soon as there are real ones.
WITH recipient AS MATERIALIZED ({recipients}),
site AS MATERIALIZED (
    SELECT s.fid, s.name, round(ST_X(s.geom)::numeric, 6) AS lon, round(ST_Y(s.geom)::numeric, 6) AS lat,
           ST_Transform(s.geom, CAST(:plane_epsg AS int)) AS plane
    FROM layers.evacuation_site s
    WHERE CASE :hazard WHEN 'tsunami' THEN s.tsunami WHEN 'flood' THEN s.flood WHEN 'landslide' THEN s.landslide
                       WHEN 'storm_surge' THEN s.storm_surge WHEN 'earthquake' THEN s.earthquake
                       WHEN 'large_fire' THEN s.large_fire ELSE false END
      AND (NOT s.is_demo OR NOT EXISTS (SELECT FROM layers.evacuation_site r WHERE NOT r.is_demo))
)
INSERT INTO alerts.delivery (alert_id, subscriber_id, address, language, place_names, nearest_sites)
SELECT :alert_id, r.subscriber_id, r.email, r.language, r.place_names,
       coalesce((
           SELECT jsonb_agg(jsonb_build_object('name', near.name, 'distance_m', round(near.distance_m::numeric, 1),
                                               'lon', near.lon, 'lat', near.lat) ORDER BY near.distance_m, near.fid)
           FROM (SELECT site.fid, site.name, site.lon, site.lat, site.plane <-> r.plane AS distance_m
                 FROM site ORDER BY site.plane <-> r.plane, site.fid LIMIT 3) near), '[]')
FROM recipient r
ORDER BY r.subscriber_id
ON CONFLICT (alert_id, subscriber_id, channel) DO NOTHING

-- name: count_recipients
SELECT language, count(*) AS people FROM ({recipients}) r GROUP BY language
