-- What is forgotten, and when.
SELECT 1;
