-- name: find_login
-- Whether people's programs know a role of this name: NULL when there is none, else whether it is a person's.
SELECT gis.is_db_login(rolname) AS is_person FROM pg_roles WHERE rolname = :name

-- name: list_logins
SELECT r.rolname AS name, coalesce(d.name, '') AS department, coalesce(office.rolname = d.role_name, false) AS may_edit
FROM pg_roles r
LEFT JOIN (pg_auth_members m
           JOIN pg_roles office ON office.oid = m.roleid
           JOIN gis.department d ON office.rolname IN (d.role_name, d.role_name || '_viewer')) ON m.member = r.oid
WHERE gis.is_db_login(r.rolname)
ORDER BY r.rolname, d.name
