-- Who may send without a second person, and what was approved beforehand.
SELECT 1;
