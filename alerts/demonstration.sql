-- name: stage
CREATE TEMPORARY TABLE demo_place (
    number     bigint GENERATED ALWAYS AS IDENTITY,
    email      text,
    language   text,
    kinds      text[],
    state      text,
    is_drill   boolean,
    place_name text,
    position   geometry(Point, 6668),
    radius_m   double precision
) ON COMMIT DROP

-- name: insert_subscribers
-- The token is the key to a subscription: random here, too, though all else is the same on every machine.
INSERT INTO alerts.subscriber (email, language, kinds, state, is_drill, is_demo, token)
SELECT DISTINCT ON (email) email, language, kinds, state, is_drill, true,
       replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')
FROM demo_place
ORDER BY email

-- name: insert_places
INSERT INTO alerts.place (subscriber_id, name, position, radius_m, plane)
SELECT s.id, d.place_name, d.position, d.radius_m, ST_Transform(d.position, CAST(:plane_epsg AS int))
FROM demo_place d
JOIN alerts.subscriber s ON s.email = d.email
ORDER BY d.number
