-- name: quarters
SELECT DISTINCT name FROM open.town_block UNION SELECT DISTINCT concat(name, sub_name) FROM open.town_block ORDER BY 1 LIMIT 2000

-- name: quarters_named
-- A quarter with all its blocks, or one block.
SELECT fid, concat(name, sub_name) AS name FROM open.town_block
WHERE name = :name OR concat(name, sub_name) = :name ORDER BY name, sub_name, fid

-- name: place_names
SELECT coalesce(name_kana, '') AS kana, coalesce(name_en, '') AS name_en FROM open.town_block
WHERE name = :name OR concat(name, sub_name) = :name
ORDER BY (coalesce(name_en, '') = ''), name, sub_name LIMIT 1
