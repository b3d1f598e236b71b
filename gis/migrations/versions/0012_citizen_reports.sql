-- Reports of citizens.
SELECT 1;
