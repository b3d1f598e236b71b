-- Edits sent twice count once.
SELECT 1;
