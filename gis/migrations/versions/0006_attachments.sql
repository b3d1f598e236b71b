-- Photos and documents beside features.
SELECT 1;
