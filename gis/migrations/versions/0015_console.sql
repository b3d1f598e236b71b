-- The alert console.
SELECT 1;
