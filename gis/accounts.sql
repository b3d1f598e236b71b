-- Accounts, with their departments and roles.

-- name: accounts
-- :name NULL: all.
SELECT a.name, a.title, a.department,
       coalesce((SELECT array_agg(d.department ORDER BY d.department) FROM gis.account_department d WHERE d.account = a.name), '{}') AS departments,
       coalesce((SELECT array_agg(r.role ORDER BY r.role) FROM gis.account_role r WHERE r.account = a.name), '{}') AS roles,
       a.is_active, a.is_demo, gis.has_second_factor(a.name) AS has_second_factor, gis.must_enrol(a.name) AS must_enrol,
       a.email
FROM gis.account a
WHERE (CAST(:name AS text) IS NULL OR a.name = :name) AND (a.is_active OR :with_disabled)
ORDER BY a.name

-- name: insert
INSERT INTO gis.account (name, title, department, password_hash, is_demo)
VALUES (:name, :title, :department, :hash, :is_demo)

-- name: events
SELECT account, event, detail, actor, at FROM gis.account_event WHERE account = :name ORDER BY id DESC LIMIT :most
