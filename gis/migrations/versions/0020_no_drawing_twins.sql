-- Tiles are drawn from the layers themselves (layers/tiles.py); the triggers forget the twins when the layers are brought up
-- to date after this (layers/catalogue.py).
DROP SCHEMA tiles CASCADE;
