-- Tiles are drawn from the layers themselves.
SELECT 1;
