-- What became of a message: resending, progress, reach.
SELECT 1;
