-- name: find_login
-- Whether people's programs know a role of this name: NULL when there is none, else whether it is a person's.
SELECT EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
               WHERE m.member = r.oid AND g.rolname = 'machimori_person') AS is_person
FROM pg_roles r
WHERE r.rolname = :name

-- name: list_logins
SELECT r.rolname AS name, d.name AS department
FROM pg_roles r
JOIN pg_auth_members p ON p.member = r.oid
JOIN pg_roles person ON person.oid = p.roleid AND person.rolname = 'machimori_person'
JOIN pg_auth_members m ON m.member = r.oid
JOIN pg_roles office ON office.oid = m.roleid
JOIN gis.department d ON d.role_name = office.rolname
ORDER BY r.rolname, d.name

-- name: end_connections
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :name
