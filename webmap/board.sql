-- What the citizen's pages and feeds read. Everything here stands in the schema `open`.

-- name: active_incidents
-- Published incidents that go on, the gravest and newest first.
SELECT fid, kind, status, state, level, event, headline, occurred_at, occurred_precision, reported_at, resolved_at, source, office, city_intensity,
       max_intensity, magnitude, magnitude_text, depth_m, hypocenter, tsunami_height_m, tsunami_height_text,
       tsunami_arrival_at, tsunami_arrival_text, observed_station, observed_height_m, observed_height_text, observed_at,
       accuracy_m, is_demo
FROM open.incident
WHERE state IN ('open', 'updated')
ORDER BY status <> 'Actual', level DESC, reported_at DESC
LIMIT :most

-- name: past_incidents
-- Published incidents that are over or were withdrawn, the newest first: read off the index, however many there are.
SELECT fid, kind, status, state, level, event, headline, occurred_at, occurred_precision, reported_at, resolved_at, source, office, city_intensity,
       max_intensity, magnitude, magnitude_text, depth_m, hypocenter, tsunami_height_m, tsunami_height_text,
       tsunami_arrival_at, tsunami_arrival_text, observed_station, observed_height_m, observed_height_text, observed_at,
       accuracy_m, is_demo
FROM open.incident
WHERE state NOT IN ('open', 'updated')
ORDER BY reported_at DESC
LIMIT :most

-- name: incident
-- One published incident.
SELECT fid, kind, status, state, level, event, headline, occurred_at, occurred_precision, reported_at, resolved_at, source, office, city_intensity,
       max_intensity, magnitude, magnitude_text, depth_m, hypocenter, tsunami_height_m, tsunami_height_text,
       tsunami_arrival_at, tsunami_arrival_text, observed_station, observed_height_m, observed_height_text, observed_at,
       accuracy_m, is_demo
FROM open.incident
WHERE fid = :fid

-- name: timeline
-- What was known after each report, oldest first.
SELECT id, telegram, kind, status, phase, level, reported_at, office, headline, text, facts
FROM open.timeline(:fid)

-- name: alerts
-- Alerts with their text in one language. In force: sent, not replaced, cancelled, cleared or expired.
SELECT a.id, a.identifier, a.thread_id, a.incident_fid, a.kind, a.cap_status, a.msg_type, a.phase, a.level, a.area_name, a.area_code,
       a.state, a.effective_at, a.sent_at, a.expires_at, t.event AS event_name, t.headline, t.description, t.instruction
FROM open.alert a
JOIN open.alert_text t ON t.alert_id = a.id AND t.language = :language
WHERE (a.state IN ('approved', 'sending', 'sent')
       AND a.phase IN ('issued', 'updated')
       AND coalesce(a.expires_at > now(), true)) = :is_in_force
ORDER BY a.cap_status <> 'Actual', a.sent_at DESC, a.id DESC
LIMIT :most

-- name: alert
-- One alert that was sent.
SELECT id, identifier, thread_id, references_id, incident_fid, kind, cap_status, msg_type, phase, level, area_name, area_code,
       state, effective_at, sent_at, expires_at, web
FROM open.alert
WHERE id = :id

-- name: alert_texts
SELECT language, event, headline, description, instruction FROM open.alert_text WHERE alert_id = :id

-- name: alerts_of_incident
-- The thread of an incident, oldest first.
SELECT a.id, a.cap_status, a.phase, a.level, a.state, a.sent_at, t.event AS event_name, t.headline
FROM open.alert a
JOIN open.alert_text t ON t.alert_id = a.id AND t.language = :language
WHERE a.incident_fid = :fid
ORDER BY a.id

-- name: standing_warnings
-- For the banner on every page: real alerts of level 4 and 5 that are in force.
SELECT a.id, a.level, a.sent_at, t.event AS event_name, t.headline
FROM open.alert a
JOIN open.alert_text t ON t.alert_id = a.id AND t.language = :language
WHERE a.cap_status = 'Actual' AND a.level >= 4
  AND a.state IN ('approved', 'sending', 'sent')
  AND a.phase IN ('issued', 'updated')
  AND coalesce(a.expires_at > now(), true)
ORDER BY a.level DESC, a.sent_at DESC

-- name: is_demonstration
-- Whether what people would walk to is invented.
SELECT EXISTS (SELECT 1 FROM open.evacuation_site WHERE is_demo) OR EXISTS (SELECT 1 FROM open.shelter WHERE is_demo)

-- name: sites
-- Emergency evacuation sites; with a hazard, only those that are safe in it.
SELECT fid, site_id, name, address, flood, landslide, storm_surge, earthquake, tsunami, large_fire, inland_flood, volcano,
       same_as_shelter, elevation_m, capacity, note, source, is_demo, ST_X(geom) AS lon, ST_Y(geom) AS lat
FROM open.evacuation_site
WHERE CASE CAST(:hazard AS text)
      WHEN 'flood' THEN flood
      WHEN 'landslide' THEN landslide
      WHEN 'storm_surge' THEN storm_surge
      WHEN 'earthquake' THEN earthquake
      WHEN 'tsunami' THEN tsunami
      WHEN 'large_fire' THEN large_fire
      WHEN 'inland_flood' THEN inland_flood
      WHEN 'volcano' THEN volcano
      ELSE true END
ORDER BY name, site_id

-- name: shelters
SELECT fid, shelter_id, name, address, same_as_site, accepts, capacity, note, source, is_demo,
       ST_X(geom) AS lon, ST_Y(geom) AS lat
FROM open.shelter
ORDER BY name, shelter_id

-- name: sources_of_places
-- Who publishes the places shown, for the credit line.
SELECT DISTINCT source FROM (
    SELECT source FROM open.evacuation_site UNION SELECT source FROM open.shelter UNION SELECT source FROM open.city_area
) AS places WHERE source IS NOT NULL ORDER BY source

-- name: incident_features
-- Active incidents for the map, the gravest and real ones last so that they lie on top: geometry in JGD2011 lon/lat (differs from WGS 84 by less than the accuracy of any report).
SELECT fid, kind, status, state, level, event, occurred_at, occurred_precision, reported_at, city_intensity, is_demo, ST_AsGeoJSON(geom, 6, 0) AS geometry,
       ST_X(ST_PointOnSurface(geom)) AS lon, ST_Y(ST_PointOnSurface(geom)) AS lat
FROM open.incident
WHERE state IN ('open', 'updated') AND geom IS NOT NULL
ORDER BY status = 'Actual', level, reported_at

-- name: incident_geometry
SELECT ST_AsGeoJSON(geom, 6, 0) AS geometry FROM open.incident WHERE fid = :fid

-- name: alert_features
-- Areas of the alerts in force, the gravest and real ones last.
SELECT a.id, a.kind, a.cap_status, a.level, a.area_name, a.area_code, a.sent_at, a.expires_at, t.event AS event_name, t.headline,
       ST_AsGeoJSON(a.geom, 6, 0) AS geometry
FROM open.alert a
JOIN open.alert_text t ON t.alert_id = a.id AND t.language = :language
WHERE a.state IN ('approved', 'sending', 'sent')
  AND a.phase IN ('issued', 'updated')
  AND coalesce(a.expires_at > now(), true)
ORDER BY a.cap_status = 'Actual', a.level, a.id

-- name: alert_geometry
SELECT ST_AsGeoJSON(geom, 6, 0) AS geometry FROM open.alert WHERE id = :id
