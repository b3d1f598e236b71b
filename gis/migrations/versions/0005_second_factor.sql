-- The second factor of accounts.
SELECT 1;
