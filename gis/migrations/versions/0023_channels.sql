-- Addresses of other channels than mail.
SELECT 1;
