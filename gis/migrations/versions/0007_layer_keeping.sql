-- Layers made and changed at run time by those who may.
SELECT 1;
