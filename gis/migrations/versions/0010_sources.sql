-- Sources: schedules, circuits, merging, moderation, privacy.
SELECT 1;
