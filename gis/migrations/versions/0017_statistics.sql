-- Statistics over incidents.
SELECT 1;
