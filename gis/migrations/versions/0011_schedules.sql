-- When sources run, and what happens when they fail.
SELECT 1;
