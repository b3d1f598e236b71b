-- name: reach_cells
-- Recipients by cell of 22.5 by 15 seconds of arc (about 500 m; half of a 3次メッシュ, JIS X 0410), by the place that matched: the first
-- one inside the area, as in matching.sql; for who is told because of an earlier message, the first place. NULL: who has no place any more.
-- On any channel counts as arrived.
WITH message AS MATERIALIZED (
    SELECT alerts.to_plane(a.area, CAST(:plane_epsg AS int)) AS plane FROM alerts.alert a WHERE a.id = :alert_id
), own AS MATERIALIZED (
    SELECT r.subscriber_id, r.has_it, count(p.id) AS places, min(p.id) AS first_id, (array_agg(p.position))[1] AS any_position
    FROM (SELECT subscriber_id, bool_or(state = 'accepted') AS has_it FROM alerts.delivery WHERE alert_id = :alert_id GROUP BY subscriber_id) r
    LEFT JOIN alerts.place p ON p.subscriber_id = r.subscriber_id
    GROUP BY r.subscriber_id, r.has_it
), placed AS (
    -- Most people have one place: where that lies needs no look at the area.
    SELECT o.has_it, CASE WHEN o.places < 2 THEN o.any_position ELSE (
               SELECT p.position FROM alerts.place p WHERE p.id = coalesce(
                   (SELECT min(i.id) FROM message m CROSS JOIN LATERAL alerts.places_inside(m.plane) i
                    WHERE i.subscriber_id = o.subscriber_id), o.first_id)) END AS position
    FROM own o
)
SELECT floor(ST_Y(position) * 240)::int AS northing, floor((ST_X(position) - 100) * 160)::int AS easting,
       count(*) AS people, count(*) FILTER (WHERE NOT has_it) AS missing
FROM placed
GROUP BY 1, 2
