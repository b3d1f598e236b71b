-- name: reach_cells
-- Recipients by cell of 22.5 by 15 seconds of arc (about 500 m; half of a 3次メッシュ, JIS X 0410), by the place that matched: the first
-- one inside the area, as in matching.sql; for who is told because of an earlier message, the first place. NULL: who has no place any more.
-- On any channel counts as arrived.
WITH message AS MATERIALIZED (
    SELECT alerts.to_plane(a.area, CAST(:plane_epsg AS int)) AS plane FROM alerts.alert a WHERE a.id = :alert_id
), recipient AS MATERIALIZED (
    SELECT subscriber_id, bool_or(state = 'accepted') AS has_it FROM alerts.delivery WHERE alert_id = :alert_id GROUP BY subscriber_id
), matched AS MATERIALIZED (
    SELECT p.subscriber_id, min(p.id) AS place_id
    FROM message m CROSS JOIN LATERAL alerts.places_inside(m.plane) p
    WHERE EXISTS (SELECT FROM recipient)
    GROUP BY p.subscriber_id
), placed AS (
    SELECT r.has_it, coalesce(inside.position, (SELECT p.position FROM alerts.place p WHERE p.subscriber_id = r.subscriber_id
                                                ORDER BY p.id LIMIT 1)) AS position
    FROM recipient r
    LEFT JOIN matched m ON m.subscriber_id = r.subscriber_id
    LEFT JOIN alerts.place inside ON inside.id = m.place_id
)
SELECT floor(ST_Y(position) * 240)::int AS northing, floor((ST_X(position) - 100) * 160)::int AS easting,
       count(*) AS people, count(*) FILTER (WHERE NOT has_it) AS missing
FROM placed
GROUP BY 1, 2
