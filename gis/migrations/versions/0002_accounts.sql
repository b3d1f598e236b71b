-- Several departments per account, roles, sessions, and a log of all that happens to an account.

CREATE TABLE gis.account_department (
    account    text NOT NULL REFERENCES gis.account,
    department text NOT NULL REFERENCES gis.department,
    PRIMARY KEY (account, department)                  -- Usage: the departments of an account.
);
INSERT INTO gis.account_department SELECT name, department FROM gis.account;
-- gis.account.department is where a login begins; it is always one of the account's departments.
ALTER TABLE gis.account ADD FOREIGN KEY (name, department) REFERENCES gis.account_department DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE gis.account_role (
    account text NOT NULL REFERENCES gis.account,
    role    text NOT NULL CHECK (role IN ('viewer', 'editor', 'layer_manager', 'moderator', 'alert_author',
                                          'alert_approver', 'administrator')),
    PRIMARY KEY (account, role)                        -- Usage: whether an account holds a role.
);
-- What everybody of the office could do before there were roles.
INSERT INTO gis.account_role SELECT name, unnest(ARRAY['viewer', 'editor']) FROM gis.account;
INSERT INTO gis.account_role
SELECT name, unnest(ARRAY['moderator', 'alert_author', 'alert_approver']) FROM gis.account WHERE department = 'disaster';

-- Wrong passwords in a row, and until when no password is taken because of them.
ALTER TABLE gis.account ADD COLUMN failed_logins int NOT NULL DEFAULT 0, ADD COLUMN locked_until timestamptz;

CREATE TABLE gis.session (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_sha256 text NOT NULL UNIQUE,                 -- Usage: find the session of a request; the token itself is the browser's only.
    account      text NOT NULL REFERENCES gis.account,
    department   text NOT NULL,                        -- the one whose rights the session has
    created_at   timestamptz NOT NULL DEFAULT now(),
    seen_at      timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz,
    user_agent   text NOT NULL DEFAULT '',
    network      text NOT NULL DEFAULT '',             -- the address without its last part (IPv4 /24, IPv6 /48)
    FOREIGN KEY (account, department) REFERENCES gis.account_department ON DELETE CASCADE
);
-- Usage: the sessions of an account, also the deletion of a membership.
CREATE INDEX session_account ON gis.session (account, department);

CREATE TABLE gis.account_event (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,                             -- to whom it happened
    event   text NOT NULL,                             -- e.g. role granted
    detail  text NOT NULL DEFAULT '',                  -- e.g. alert_approver
    actor   text NOT NULL,                             -- who did it
    at      timestamptz NOT NULL DEFAULT now()
);
-- Usage: what happened to an account.
CREATE INDEX account_event_account ON gis.account_event (account, id DESC);

------------------------------------------------------------------------------ who holds what

-- Whether an active account holds a role. Runs as owner: departments may ask, not read the table.
CREATE FUNCTION gis.account_holds(wanted_account text, wanted_role text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT FROM gis.account_role r JOIN gis.account a ON a.name = r.account
                   WHERE r.account = wanted_account AND r.role = wanted_role AND a.is_active)
$$;

-- Whether the running role stands for a person: neither the service nor who owns everything anyway.
CREATE FUNCTION gis.is_person_acting() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT current_user <> 'machimori_service' AND NOT pg_has_role(current_user, 'machimori_owner', 'MEMBER')
$$;
REVOKE ALL ON FUNCTION gis.account_holds, gis.is_person_acting FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gis.account_holds, gis.is_person_acting TO department, machimori_service, machimori_admin, machimori_gate;

------------------------------------------------------------------------------ alerts: authors and approvers

-- Grants let the disaster office in; the person's role decides who of it writes.
CREATE FUNCTION alerts.guard_writer() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF gis.is_person_acting() AND NOT gis.account_holds(gis.current_account(), 'alert_author')
       AND NOT gis.account_holds(gis.current_account(), 'alert_approver') THEN
        RAISE EXCEPTION '% is neither alert author nor alert approver', gis.current_account() USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard_writer BEFORE INSERT OR UPDATE OR DELETE ON alerts.alert FOR EACH STATEMENT EXECUTE FUNCTION alerts.guard_writer();
CREATE TRIGGER guard_writer BEFORE INSERT OR UPDATE OR DELETE ON alerts.alert_text FOR EACH STATEMENT EXECUTE FUNCTION alerts.guard_writer();
CREATE TRIGGER guard_writer BEFORE INSERT OR UPDATE OR DELETE ON alerts.delivery FOR EACH STATEMENT EXECUTE FUNCTION alerts.guard_writer();

-- Nobody signs with another's name, nor without the role that the signature needs.
CREATE FUNCTION alerts.guard_signature() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    old_submitted_by text := CASE WHEN TG_OP = 'UPDATE' THEN OLD.submitted_by END;
    old_approved_by  text := CASE WHEN TG_OP = 'UPDATE' THEN OLD.approved_by END;
BEGIN
    IF NOT gis.is_person_acting() THEN RETURN NEW; END IF;
    IF NEW.submitted_by <> coalesce(old_submitted_by, '')
       AND NOT (NEW.submitted_by = gis.current_account() AND gis.account_holds(NEW.submitted_by, 'alert_author')) THEN
        RAISE EXCEPTION '% cannot submit an alert as %', gis.current_account(), NEW.submitted_by
            USING ERRCODE = 'insufficient_privilege', HINT = 'It needs the role alert_author, and the own name.';
    END IF;
    IF NEW.approved_by <> coalesce(old_approved_by, '')
       AND NOT (NEW.approved_by = gis.current_account() AND gis.account_holds(NEW.approved_by, 'alert_approver')) THEN
        RAISE EXCEPTION '% cannot approve an alert as %', gis.current_account(), NEW.approved_by
            USING ERRCODE = 'insufficient_privilege', HINT = 'It needs the role alert_approver, and the own name.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_signature BEFORE INSERT OR UPDATE ON alerts.alert FOR EACH ROW EXECUTE FUNCTION alerts.guard_signature();

------------------------------------------------------------------------------ accounts: administrators, and the log

CREATE FUNCTION gis.guard_administrator() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF current_user = 'machimori_admin' AND NOT gis.account_holds(gis.current_account(), 'administrator') THEN
        RAISE EXCEPTION '% is no administrator', gis.current_account() USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard_administrator BEFORE INSERT OR UPDATE OR DELETE ON gis.account FOR EACH STATEMENT EXECUTE FUNCTION gis.guard_administrator();
CREATE TRIGGER guard_administrator BEFORE INSERT OR UPDATE OR DELETE ON gis.account_role FOR EACH STATEMENT EXECUTE FUNCTION gis.guard_administrator();
CREATE TRIGGER guard_administrator BEFORE INSERT OR UPDATE OR DELETE ON gis.account_department FOR EACH STATEMENT EXECUTE FUNCTION gis.guard_administrator();
CREATE TRIGGER guard_administrator BEFORE INSERT OR UPDATE OR DELETE ON gis.session FOR EACH STATEMENT EXECUTE FUNCTION gis.guard_administrator();

-- Written by the database, so that no way of changing an account passes it by.
CREATE FUNCTION gis.log_account() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) ELSE '{}' END;
    after  jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) ELSE '{}' END;
    person text  := coalesce(after ->> 'account', before ->> 'account', after ->> 'name', before ->> 'name');
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
        ('session', 'session ended',    TG_OP = 'UPDATE' AND before ->> 'ended_at' IS NULL AND after ->> 'ended_at' IS NOT NULL, after ->> 'id')
    ) AS happened (table_name, event, is_so, detail)
    WHERE happened.table_name = TG_TABLE_NAME AND happened.is_so;
    RETURN NULL;
END $$;
CREATE TRIGGER log_account AFTER INSERT OR UPDATE ON gis.account FOR EACH ROW EXECUTE FUNCTION gis.log_account();
CREATE TRIGGER log_account AFTER INSERT OR DELETE ON gis.account_role FOR EACH ROW EXECUTE FUNCTION gis.log_account();
CREATE TRIGGER log_account AFTER INSERT OR DELETE ON gis.account_department FOR EACH ROW EXECUTE FUNCTION gis.log_account();
CREATE TRIGGER log_account AFTER INSERT OR UPDATE ON gis.session FOR EACH ROW EXECUTE FUNCTION gis.log_account();
REVOKE ALL ON FUNCTION gis.guard_administrator, gis.log_account, alerts.guard_writer, alerts.guard_signature FROM PUBLIC;

------------------------------------------------------------------------------ grants

-- What a viewer of the disaster office sees, and a writer of alerts writes (guard_writer decides who that is):
-- dept_disaster has all this, too, and edits its layers besides.
GRANT USAGE ON SCHEMA ingest, alerts, queue TO dept_disaster_viewer;
GRANT SELECT ON ALL TABLES IN SCHEMA ingest TO dept_disaster_viewer;
GRANT SELECT, INSERT, UPDATE ON alerts.alert, alerts.alert_text TO dept_disaster_viewer;
GRANT DELETE ON alerts.alert_text TO dept_disaster_viewer;
GRANT SELECT, INSERT, UPDATE (state, finished_at) ON alerts.delivery TO dept_disaster_viewer;
GRANT SELECT ON alerts.policy, alerts.decision, alerts.alert_step, alerts.attempt, alerts.place, alerts.subscriber TO dept_disaster_viewer;
GRANT SELECT, INSERT ON queue.procrastinate_jobs, queue.procrastinate_events TO dept_disaster_viewer;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA queue TO dept_disaster_viewer;

-- The gate checks logins and keeps sessions.
GRANT SELECT ON gis.account_department, gis.account_role, gis.session TO machimori_gate;
GRANT UPDATE (password_hash, failed_logins, locked_until) ON gis.account TO machimori_gate;
GRANT INSERT (token_sha256, account, department, user_agent, network), UPDATE (department, seen_at, ended_at) ON gis.session TO machimori_gate;

-- Administrators keep accounts; guard_administrator decides who that is.
GRANT USAGE ON SCHEMA gis TO machimori_admin;
GRANT SELECT ON gis.department, gis.account_event TO machimori_admin;
GRANT SELECT, INSERT ON gis.account TO machimori_admin;
GRANT UPDATE (title, department, password_hash, is_active, failed_logins, locked_until) ON gis.account TO machimori_admin;
GRANT SELECT, INSERT, DELETE ON gis.account_role, gis.account_department TO machimori_admin;
GRANT SELECT, UPDATE (ended_at) ON gis.session TO machimori_admin;
