-- The dispatcher: relays, limits, bounces, suspensions.
SELECT 1;
