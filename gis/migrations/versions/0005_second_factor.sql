-- The second factor of accounts, and database logins that follow the account at once.

------------------------------------------------------------------------------ second factor

-- RFC 6238 (TOTP). The secret stands nowhere: it follows from the salt and the installation's key (gis/second_factor.py).
CREATE TABLE gis.second_factor (
    account      text PRIMARY KEY REFERENCES gis.account,
    salt         text NOT NULL,
    confirmed_at timestamptz,                          -- NULL: begun, no code was shown yet
    last_step    bigint NOT NULL DEFAULT 0,            -- the step of 30 s whose code was taken last: none is taken twice
    failures     int NOT NULL DEFAULT 0,               -- wrong codes in a row
    locked_until timestamptz                           -- no code is taken until then because of them
);

CREATE TABLE gis.recovery_code (
    account   text NOT NULL REFERENCES gis.second_factor ON DELETE CASCADE,
    code_hmac text NOT NULL,                           -- keyed: the table alone lets nobody try codes
    used_at   timestamptz,
    PRIMARY KEY (account, code_hmac)                   -- Usage: take a code.
);

-- Whether approvers and administrators need one; './machimori user second-factor' changes it.
CREATE TABLE gis.second_factor_rule (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    is_required boolean NOT NULL
);
INSERT INTO gis.second_factor_rule (is_required) VALUES (true);

ALTER TABLE gis.session ADD COLUMN second_factor_at timestamptz;  -- when a code was shown in it

CREATE FUNCTION gis.has_second_factor(wanted_account text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT FROM gis.second_factor WHERE account = wanted_account AND confirmed_at IS NOT NULL)
$$;

CREATE FUNCTION gis.lacks_second_factor(wanted_account text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT (SELECT is_required FROM gis.second_factor_rule) AND NOT gis.has_second_factor(wanted_account)
           AND NOT EXISTS (SELECT FROM gis.account WHERE name = wanted_account AND is_demo)
$$;

-- Whether an account may do nothing before it has set one up.
CREATE FUNCTION gis.must_enrol(wanted_account text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT FROM gis.account_role WHERE account = wanted_account AND role IN ('alert_approver', 'administrator'))
           AND gis.lacks_second_factor(wanted_account)
$$;

-- Whether a person's own program is connected (QGIS, psql): with a password, without a second factor.
CREATE FUNCTION gis.is_own_connection() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT session_user <> 'machimori_app' AND NOT pg_has_role(session_user, 'machimori_owner', 'MEMBER')
$$;

-- Approvers and administrators count as such only with a second factor, and never on a connection that did not ask for it.
CREATE OR REPLACE FUNCTION gis.account_holds(wanted_account text, wanted_role text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT FROM gis.account_role r JOIN gis.account a ON a.name = r.account
                   WHERE r.account = wanted_account AND r.role = wanted_role AND a.is_active)
       AND (wanted_role NOT IN ('alert_approver', 'administrator')
            OR NOT gis.is_own_connection() AND NOT gis.lacks_second_factor(wanted_account))
$$;

------------------------------------------------------------------------------ database logins follow the account

-- The roles that make an editor: as gis/rights.py has them for 'edit'.
CREATE FUNCTION gis.account_edits(wanted_account text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT FROM gis.account_role r JOIN gis.account a ON a.name = r.account
                   WHERE a.name = wanted_account AND a.is_active AND r.role IN ('editor', 'layer_manager', 'moderator'))
$$;

-- A person's login to the database: machimori_owner is a member of it (gis/db_login.py), of no other login.
CREATE FUNCTION gis.is_db_login(person text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT FROM pg_roles r JOIN pg_auth_members m ON m.roleid = r.oid JOIN pg_roles o ON o.oid = m.member
                   WHERE r.rolname = person AND r.rolcanlogin AND o.rolname = 'machimori_owner')
$$;

CREATE FUNCTION gis.end_db_connections(person text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF gis.is_db_login(person) THEN
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = person;
    END IF;
END $$;

-- Give a login exactly the one department's role that its account is entitled to: editing or seeing; nothing, and no way
-- in, when there is none. Runs as machimori_owner, which holds the departments' roles with the right to pass them on.
-- wanted_department NULL: the one that the login has.
CREATE FUNCTION gis.fit_db_login(person text, wanted_department text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    held     text[];
    entitled text;
    other    text;
BEGIN
    IF NOT gis.is_db_login(person) THEN RETURN NULL; END IF;
    SELECT coalesce(array_agg(g.rolname::text), '{}') INTO held
    FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles p ON p.oid = m.member
    JOIN gis.department d ON g.rolname IN (d.role_name, d.role_name || '_viewer')
    WHERE p.rolname = person;
    SELECT d.role_name || CASE WHEN gis.account_edits(person) THEN '' ELSE '_viewer' END INTO entitled
    FROM gis.account a JOIN gis.account_department m ON m.account = a.name JOIN gis.department d ON d.name = m.department
    WHERE a.name = person AND a.is_active
      AND CASE WHEN wanted_department IS NULL THEN d.role_name = ANY (held) OR d.role_name || '_viewer' = ANY (held)
               ELSE d.name = wanted_department END;
    FOREACH other IN ARRAY held LOOP
        IF other IS DISTINCT FROM entitled THEN
            EXECUTE format('REVOKE %I FROM %I', other, person);
        END IF;
    END LOOP;
    IF entitled IS NULL THEN
        EXECUTE format('REVOKE machimori_person FROM %I', person);
    ELSIF entitled <> ALL (held) THEN
        EXECUTE format('GRANT machimori_person, %I TO %I', entitled, person);
    END IF;
    IF held IS DISTINCT FROM ARRAY[entitled] THEN
        PERFORM gis.end_db_connections(person);
    END IF;
    RETURN entitled;
END $$;

CREATE FUNCTION gis.follow_account() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    changed jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
BEGIN
    PERFORM gis.fit_db_login(coalesce(changed ->> 'account', changed ->> 'name'));
    RETURN NULL;
END $$;
CREATE TRIGGER follow_account AFTER DELETE OR UPDATE OF is_active ON gis.account FOR EACH ROW EXECUTE FUNCTION gis.follow_account();
CREATE TRIGGER follow_account AFTER INSERT OR DELETE ON gis.account_role FOR EACH ROW EXECUTE FUNCTION gis.follow_account();
CREATE TRIGGER follow_account AFTER INSERT OR DELETE ON gis.account_department FOR EACH ROW EXECUTE FUNCTION gis.follow_account();

-- Whether the account behind one's own connection may edit, now. Memberships alone do not tell: SET ROLE outlives them.
CREATE FUNCTION gis.is_login_fit() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT gis.account_edits(session_user) AND EXISTS (
        SELECT FROM gis.account_department m JOIN gis.department d ON d.name = m.department
        WHERE m.account = session_user AND pg_has_role(session_user, d.role_name, 'MEMBER'))
$$;

-- As in 0001, and: every edit of a layer asks for its changeset, so who lost the right gets no further, whatever is still open.
CREATE OR REPLACE FUNCTION gis.current_changeset() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    found_id bigint;
    my_xact  bigint := pg_current_xact_id()::text::bigint;
BEGIN
    IF gis.is_own_connection() AND NOT gis.is_login_fit() THEN
        RAISE EXCEPTION 'the account % may no longer edit', session_user USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT id INTO found_id FROM gis.changeset WHERE xact_id = my_xact AND created_at = now() ORDER BY id LIMIT 1;
    IF found_id IS NULL THEN
        INSERT INTO gis.changeset (account, role_name, reason, xact_id)
        VALUES (gis.current_account(),
                coalesce(nullif(nullif(current_setting('role', true), ''), 'none'), session_user::text),
                coalesce(current_setting('machimori.reason', true), ''), my_xact)
        RETURNING id INTO found_id;
    END IF;
    RETURN found_id;
END $$;

------------------------------------------------------------------------------ administrators, and the log

-- The exemption of the demonstration's logins cannot be given from the pages.
CREATE FUNCTION gis.guard_demo() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF current_user = 'machimori_admin' THEN
        RAISE EXCEPTION 'no administrator makes a demonstration login' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_demo BEFORE INSERT ON gis.account FOR EACH ROW WHEN (NEW.is_demo) EXECUTE FUNCTION gis.guard_demo();
CREATE TRIGGER guard_administrator BEFORE INSERT OR UPDATE OR DELETE ON gis.second_factor FOR EACH STATEMENT EXECUTE FUNCTION gis.guard_administrator();

CREATE OR REPLACE FUNCTION gis.log_account() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) ELSE '{}' END;
    after  jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) ELSE '{}' END;
    person text  := coalesce(after ->> 'account', before ->> 'account', after ->> 'name', before ->> 'name', '');
BEGIN
    INSERT INTO gis.account_event (account, event, detail, actor)
    SELECT person, happened.event, coalesce(happened.detail, ''), gis.current_account()
    FROM (VALUES
        ('account', 'added',            TG_OP = 'INSERT', after ->> 'department'),
        ('account', 'disabled',         TG_OP = 'UPDATE' AND (before ->> 'is_active')::boolean AND NOT (after ->> 'is_active')::boolean, NULL),
        ('account', 'enabled',          TG_OP = 'UPDATE' AND NOT (before ->> 'is_active')::boolean AND (after ->> 'is_active')::boolean, NULL),
        ('account', 'password changed', TG_OP = 'UPDATE' AND before ->> 'password_hash' <> after ->> 'password_hash', NULL),
        ('account', 'wrong password',   TG_OP = 'UPDATE' AND (before ->> 'failed_logins')::int < (after ->> 'failed_logins')::int, after ->> 'locked_until'),
        ('account_role', 'role granted',            TG_OP = 'INSERT', after ->> 'role'),
        ('account_role', 'role revoked',            TG_OP = 'DELETE', before ->> 'role'),
        ('account_department', 'department joined', TG_OP = 'INSERT', after ->> 'department'),
        ('account_department', 'department left',   TG_OP = 'DELETE', before ->> 'department'),
        ('session', 'logged in',        TG_OP = 'INSERT', after ->> 'network'),
        ('session', 'session ended',    TG_OP = 'UPDATE' AND before ->> 'ended_at' IS NULL AND after ->> 'ended_at' IS NOT NULL, after ->> 'id'),
        ('second_factor', 'second factor set up',  TG_OP = 'UPDATE' AND before ->> 'confirmed_at' IS NULL AND after ->> 'confirmed_at' IS NOT NULL, NULL),
        ('second_factor', 'second factor removed', TG_OP = 'DELETE' AND before ->> 'confirmed_at' IS NOT NULL, NULL),
        ('second_factor', 'wrong code',            TG_OP = 'UPDATE' AND (before ->> 'failures')::int < (after ->> 'failures')::int, after ->> 'locked_until'),
        ('recovery_code', 'recovery code used',    TG_OP = 'UPDATE' AND before ->> 'used_at' IS NULL AND after ->> 'used_at' IS NOT NULL, NULL),
        ('second_factor_rule', 'second factor rule', TG_OP = 'UPDATE', CASE WHEN (after ->> 'is_required')::boolean THEN 'required' ELSE 'optional' END)
    ) AS happened (table_name, event, is_so, detail)
    WHERE happened.table_name = TG_TABLE_NAME AND happened.is_so;
    RETURN NULL;
END $$;
CREATE TRIGGER log_account AFTER UPDATE OR DELETE ON gis.second_factor FOR EACH ROW EXECUTE FUNCTION gis.log_account();
CREATE TRIGGER log_account AFTER UPDATE ON gis.recovery_code FOR EACH ROW EXECUTE FUNCTION gis.log_account();
CREATE TRIGGER log_account AFTER UPDATE ON gis.second_factor_rule FOR EACH ROW EXECUTE FUNCTION gis.log_account();

------------------------------------------------------------------------------ grants

REVOKE ALL ON FUNCTION gis.has_second_factor, gis.lacks_second_factor, gis.must_enrol, gis.is_own_connection, gis.account_edits,
    gis.is_db_login, gis.end_db_connections, gis.fit_db_login, gis.follow_account, gis.is_login_fit, gis.guard_demo FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gis.has_second_factor, gis.must_enrol TO machimori_gate, machimori_admin;
GRANT EXECUTE ON FUNCTION gis.end_db_connections, gis.is_db_login TO machimori_admin;
-- The gate checks codes; administrators may only take a second factor away, when a phone is lost.
GRANT SELECT, INSERT, UPDATE, DELETE ON gis.second_factor, gis.recovery_code TO machimori_gate;
GRANT SELECT (account, confirmed_at), DELETE ON gis.second_factor TO machimori_admin;
GRANT INSERT (second_factor_at), UPDATE (second_factor_at) ON gis.session TO machimori_gate;
