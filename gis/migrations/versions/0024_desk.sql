-- What the moderation desk and the statistics of the staff need.
SELECT 1;
