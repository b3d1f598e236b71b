-- The desk of the moderators.
SELECT 1;
