-- What became of the things that a feed told of.
SELECT 1;
