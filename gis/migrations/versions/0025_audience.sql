-- Who gets an alert: areas as places, quiet hours, late subscribers.
SELECT 1;
