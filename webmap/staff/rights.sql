-- name: rights
-- Who may see and who may edit each layer: what the database itself would answer, asked of every department's role.
SELECT l.name AS layer, d.name AS department, d.title_ja, d.title_en,
       has_table_privilege(d.role_name, format('layers.%I', l.name), 'SELECT') AS may_see,
       has_table_privilege(d.role_name, format('layers.%I', l.name), 'UPDATE') AS may_edit
FROM gis.layer l CROSS JOIN gis.department d
WHERE to_regclass(format('layers.%I', l.name)) IS NOT NULL
ORDER BY l.name, d.name

-- name: own_rights
SELECT l.name AS layer,
       -- A layer out of use is kept, not shown.
       is_shown AND has_table_privilege(format('layers.%I', l.name), 'SELECT') AS may_see,
       is_shown AND has_table_privilege(format('layers.%I', l.name), 'UPDATE') AS may_edit,
       gis.keeps_layer(l.name, l.definition ->> 'owner') AS may_manage
FROM gis.layer l, LATERAL (SELECT NOT coalesce((l.definition ->> 'is_retired')::boolean, false) AS is_shown) AS use
WHERE to_regclass(format('layers.%I', l.name)) IS NOT NULL
