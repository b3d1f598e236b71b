-- Who gets an alert: districts, quiet hours, late subscribers.
SELECT 1;
