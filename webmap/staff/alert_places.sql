-- name: quarters
SELECT DISTINCT name FROM open.town_block UNION SELECT DISTINCT concat(name, sub_name) FROM open.town_block ORDER BY 1 LIMIT 2000

-- name: quarter_called
-- The quarters that go by another name (several other names have 、 between them).
SELECT DISTINCT name FROM open.town_block WHERE :name = ANY (string_to_array(other_names, '、')) ORDER BY 1 LIMIT 5

-- name: quarters_named
-- A quarter with all its blocks, or one block; what has the name itself goes before what is put together from two.
SELECT fid FROM open.town_block
WHERE name = :name OR concat(name, sub_name) = :name AND NOT EXISTS (SELECT FROM open.town_block WHERE name = :name)
ORDER BY fid

-- name: place_names
SELECT coalesce(name_kana, '') AS kana, coalesce(name_en, '') AS name_en FROM open.town_block
WHERE name = :name OR concat(name, sub_name) = :name
ORDER BY (coalesce(name_en, '') = ''), name, sub_name LIMIT 1

-- name: names_in
-- For the driver: a layer has these attributes, or it does not.
SELECT coalesce(to_jsonb(f) ->> 'name_kana', '') AS kana, coalesce(to_jsonb(f) ->> 'name_en', '') AS name_en
FROM (SELECT * FROM {layer} WHERE name = %(name)s LIMIT 1) f
