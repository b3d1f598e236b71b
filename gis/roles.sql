-- name: create_roles
-- Roles are shared by all databases of a cluster, so each is made only when missing.
DO $$
DECLARE
    role_name text;
BEGIN
    -- Two installations may migrate at the same moment on one server.
    PERFORM pg_advisory_xact_lock(hashtext('machimori.roles'));
    FOREACH role_name IN ARRAY ARRAY['machimori_owner', 'citizen', 'machimori_gate', 'machimori_admin', 'machimori_service',
                                 'department', 'machimori_person'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'machimori_app') THEN
        CREATE ROLE machimori_app LOGIN NOINHERIT;
    END IF;
    GRANT machimori_owner TO CURRENT_USER;
    GRANT citizen, machimori_gate, machimori_admin, machimori_service TO machimori_app;
    -- gis.fit_db_login, which runs as machimori_owner, gives people's logins what their accounts are entitled to.
    GRANT machimori_person TO machimori_owner WITH ADMIN OPTION;
    FOR role_name IN SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
                     WHERE m.roleid = 'machimori_person'::regrole AND r.rolcanlogin LOOP
        EXECUTE format('GRANT %I TO machimori_owner', role_name);
    END LOOP;
    ALTER ROLE machimori_app SET search_path = public, queue;
    ALTER ROLE machimori_service SET search_path = public, queue;
    EXECUTE format('GRANT CREATE, CONNECT ON DATABASE %I TO machimori_owner', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO machimori_app', current_database());
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
END $$
