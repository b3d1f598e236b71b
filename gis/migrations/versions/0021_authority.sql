-- Who may send without a second person, what was approved beforehand, and what more a message of the desk says.

------------------------------------------------------------------------------ who may send alone

ALTER TABLE gis.account_role DROP CONSTRAINT account_role_role_check, ADD CONSTRAINT account_role_role_check
    CHECK (role IN ('viewer', 'editor', 'layer_manager', 'moderator', 'alert_author', 'alert_approver', 'alert_override', 'administrator'));
ALTER TABLE gis.account ADD COLUMN email text NOT NULL DEFAULT '';  -- where the office reaches the person about messages
ALTER TABLE gis.session ADD COLUMN proved_at timestamptz;           -- when the person last showed who they are, for one grave act
GRANT UPDATE (email) ON gis.account TO machimori_admin;
GRANT UPDATE (proved_at) ON gis.session TO machimori_gate;

-- As in 0005, with alert_override.
CREATE OR REPLACE FUNCTION gis.must_enrol(wanted_account text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT FROM gis.account_role WHERE account = wanted_account
                   AND role IN ('alert_approver', 'alert_override', 'administrator'))
           AND gis.lacks_second_factor(wanted_account)
$$;
CREATE OR REPLACE FUNCTION gis.account_holds(wanted_account text, wanted_role text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT FROM gis.account_role r JOIN gis.account a ON a.name = r.account
                   WHERE r.account = wanted_account AND r.role = wanted_role AND a.is_active)
       AND (wanted_role NOT IN ('alert_approver', 'alert_override', 'administrator')
            OR NOT gis.is_own_connection() AND NOT gis.lacks_second_factor(wanted_account))
$$;

-- Whether the person showed a code (without a second factor: the password) in the last five minutes, in a session that runs.
CREATE FUNCTION gis.has_proved(wanted_account text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT FROM gis.session WHERE account = wanted_account AND ended_at IS NULL
                   AND proved_at BETWEEN clock_timestamp() - interval '5 minutes' AND clock_timestamp())
$$;

-- The addresses of those who hold a role; the table itself stays with administrators.
CREATE FUNCTION gis.addresses_of(wanted_role text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT DISTINCT a.email FROM gis.account a JOIN gis.account_role r ON r.account = a.name
    WHERE r.role = wanted_role AND a.is_active AND a.email <> '' ORDER BY a.email
$$;
REVOKE ALL ON FUNCTION gis.has_proved, gis.addresses_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gis.has_proved TO department, machimori_service;
GRANT EXECUTE ON FUNCTION gis.addresses_of TO machimori_service;

------------------------------------------------------------------------------ what was approved beforehand

-- Two people approve beforehand that telegrams of a kind and level go out by themselves, for a time, until it is revoked.
CREATE TABLE alerts.standing_approval (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    telegram      text NOT NULL,                       -- as in alerts.policy
    occasion      text NOT NULL CHECK (occasion IN ('first', 'follow_up')), -- before, or once an alert of the incident was sent
    levels        int[] NOT NULL CHECK (cardinality(levels) > 0 AND levels <@ '{0,1,2,3,4,5}'),
    reason        text NOT NULL CHECK (btrim(reason) <> ''),
    origin        text NOT NULL DEFAULT 'desk' CHECK (origin IN ('desk', 'shipped policy')),
    proposed_by   text NOT NULL,
    proposed_at   timestamptz NOT NULL DEFAULT now(),
    approved_by   text,
    approved_at   timestamptz,
    valid_from    timestamptz NOT NULL DEFAULT now(),
    valid_until   timestamptz,
    revoked_by    text,
    revoked_at    timestamptz,
    revoke_reason text NOT NULL DEFAULT '',
    CONSTRAINT standing_two_people CHECK (approved_by <> proposed_by),
    CONSTRAINT standing_from_level_4 CHECK (occasion = 'follow_up' OR 4 <= ALL (levels)),
    CONSTRAINT standing_ends CHECK (valid_until > valid_from AND
                                    (origin <> 'desk' OR valid_until IS NOT NULL AND valid_until <= valid_from + interval '1 year')),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK ((revoked_by IS NULL) = (revoked_at IS NULL) AND (revoked_by IS NULL OR btrim(revoke_reason) <> ''))
);
-- Usage: what covers a telegram that has just come in.
CREATE INDEX standing_approval_telegram ON alerts.standing_approval (telegram, occasion) WHERE revoked_at IS NULL;

-- The standing approval that covers a telegram now, NULL when there is none. Its row stays locked: a revocation comes before or after.
CREATE FUNCTION alerts.standing_for(wanted_telegram text, wanted_occasion text, wanted_level int) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT id FROM alerts.standing_approval
    WHERE telegram = wanted_telegram AND occasion = wanted_occasion AND wanted_level = ANY (levels)
      AND approved_at IS NOT NULL AND revoked_at IS NULL
      AND valid_from <= clock_timestamp() AND (valid_until IS NULL OR valid_until > clock_timestamp())
    ORDER BY id LIMIT 1 FOR SHARE
$$;
REVOKE ALL ON FUNCTION alerts.standing_for FROM PUBLIC;
GRANT EXECUTE ON FUNCTION alerts.standing_for TO machimori_service;

-- A person proposes, approves and revokes under the own name, and changes nothing of what was proposed.
CREATE FUNCTION alerts.guard_standing() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    person text := gis.current_account();
BEGIN
    IF NOT gis.is_person_acting() THEN RETURN NEW; END IF;
    IF TG_OP = 'INSERT' THEN
        IF NOT (gis.account_holds(person, 'alert_author') OR gis.account_holds(person, 'alert_approver')) THEN
            RAISE EXCEPTION '% may not propose a standing approval', person USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF NEW.origin <> 'desk' OR NEW.approved_by IS NOT NULL OR NEW.revoked_by IS NOT NULL THEN
            RAISE EXCEPTION 'a standing approval begins as a proposal' USING ERRCODE = 'insufficient_privilege';
        END IF;
        NEW.proposed_by := person;
        NEW.proposed_at := now();
        RETURN NEW;
    END IF;
    IF (NEW.telegram, NEW.occasion, NEW.levels, NEW.reason, NEW.origin, NEW.proposed_by, NEW.proposed_at, NEW.valid_from, NEW.valid_until)
       IS DISTINCT FROM
       (OLD.telegram, OLD.occasion, OLD.levels, OLD.reason, OLD.origin, OLD.proposed_by, OLD.proposed_at, OLD.valid_from, OLD.valid_until)
       OR OLD.revoked_by IS NOT NULL
       OR OLD.approved_by IS NOT NULL AND (NEW.approved_by, NEW.approved_at) IS DISTINCT FROM (OLD.approved_by, OLD.approved_at) THEN
        RAISE EXCEPTION 'standing approval %: it is approved or revoked, never changed', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.approved_by IS NULL AND NEW.approved_by IS NOT NULL THEN
        IF NOT (NEW.approved_by = person AND gis.account_holds(person, 'alert_approver')) THEN
            RAISE EXCEPTION '% cannot give a standing approval as %', person, NEW.approved_by USING ERRCODE = 'insufficient_privilege';
        END IF;
        NEW.approved_at := now();
    END IF;
    IF NEW.revoked_by IS NOT NULL THEN
        IF NOT (NEW.revoked_by = person AND (gis.account_holds(person, 'alert_approver')
                                             OR OLD.approved_by IS NULL AND OLD.proposed_by = person)) THEN
            RAISE EXCEPTION '% cannot revoke a standing approval as %', person, NEW.revoked_by USING ERRCODE = 'insufficient_privilege';
        END IF;
        NEW.revoked_at := now();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_standing BEFORE INSERT OR UPDATE ON alerts.standing_approval FOR EACH ROW EXECUTE FUNCTION alerts.guard_standing();
REVOKE ALL ON FUNCTION alerts.guard_standing FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON alerts.standing_approval TO dept_disaster, dept_disaster_viewer;
GRANT SELECT ON alerts.standing_approval TO machimori_service;

-- What the policy did by itself until now stays, listed and revocable. New cells of the policy bring theirs (alerts/policy.py).
INSERT INTO alerts.standing_approval (telegram, occasion, levels, reason, origin, proposed_by, approved_by, approved_at)
SELECT telegram, occasion, array_agg(level ORDER BY level), 'alert_policy.toml', 'shipped policy', 'shipped policy', 'installation', now()
FROM (SELECT telegram, level, 'first' AS occasion FROM alerts.policy WHERE action = 'automatic' AND level >= 4
      UNION ALL
      SELECT telegram, level, 'follow_up' FROM alerts.policy WHERE follow_up = 'automatic') cell
GROUP BY telegram, occasion ORDER BY telegram, occasion;

------------------------------------------------------------------------------ messages

ALTER TABLE alerts.alert
    ADD COLUMN override_reason text NOT NULL DEFAULT '',  -- why one person sent it alone
    ADD COLUMN standing_id bigint REFERENCES alerts.standing_approval, -- under which it went out by itself
    ADD COLUMN category text CHECK (category IN ('Geo', 'Met', 'Safety', 'Security', 'Rescue', 'Fire', 'Health', 'Env', 'Transport',
                                                 'Infra', 'CBRNE', 'Other')),  -- CAP category; NULL: the event's
    ADD COLUMN web text NOT NULL DEFAULT '' CHECK (web = '' OR web ~ '^https?://'), -- CAP web; '': our own page
    DROP CONSTRAINT two_people,
    ADD CONSTRAINT two_people CHECK (approved_by IS NULL OR approved_by <> submitted_by OR btrim(override_reason) <> '');
ALTER TABLE alerts.alert_text ADD COLUMN short text NOT NULL DEFAULT '';  -- for a push message, when headline and action are too long

-- What the approvers are told by mail: somebody sent alone; a message waits that nobody approved beforehand.
CREATE TABLE alerts.notice (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id   bigint NOT NULL REFERENCES alerts.alert,
    kind       text NOT NULL CHECK (kind IN ('override', 'waiting')),
    created_at timestamptz NOT NULL DEFAULT now(),
    mailed_at  timestamptz,
    addresses  int NOT NULL DEFAULT 0,                 -- how many it went to
    UNIQUE (alert_id, kind)                            -- Usage: the notices about an alert; each is told once.
);
-- Usage: what is still to be mailed.
CREATE INDEX notice_unmailed ON alerts.notice (id) WHERE mailed_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON alerts.notice TO machimori_service;
GRANT SELECT ON alerts.notice TO dept_disaster, dept_disaster_viewer;

-- Who may approve when there is no second person: somebody named for it, alone, with a reason, and having just shown who they are.
-- The service sends only what was approved beforehand. Both hold for every role.
CREATE FUNCTION alerts.guard_authority() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    heard ingest.situation;
BEGIN
    -- A drill answers drills only, and nothing real is said about an incident that is a drill.
    IF EXISTS (SELECT FROM alerts.alert a WHERE a.id IN (NEW.references_id, NEW.thread_id) AND a.cap_status <> NEW.cap_status) THEN
        RAISE EXCEPTION 'alert %: a drill and a live message are of one thread', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.cap_status = 'Actual' AND NEW.state <> 'discarded' AND EXISTS (
        SELECT FROM layers.incident i WHERE i.fid IN (NEW.incident_fid, NEW.about_incident) AND i.status <> 'Actual') THEN
        RAISE EXCEPTION 'alert %: a live message is about a drill', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.override_reason <> '' OR NEW.standing_id IS NOT NULL OR current_user = 'machimori_service' AND NEW.state <> 'draft' THEN
            RAISE EXCEPTION 'a message begins as a draft' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'submitted' AND NEW.state = 'approved' THEN
        IF NEW.override_reason <> '' AND NOT (
            NEW.approved_by = NEW.submitted_by AND NEW.approved_by = gis.current_account()
            AND gis.account_holds(NEW.approved_by, 'alert_override') AND gis.has_proved(NEW.approved_by)) THEN
            RAISE EXCEPTION 'alert %: % may not send it alone', NEW.id, gis.current_account() USING ERRCODE = 'insufficient_privilege',
                HINT = 'It needs the role alert_override, the own message, a reason, and a fresh second factor.';
        END IF;
        IF current_user = 'machimori_service' OR NEW.standing_id IS NOT NULL THEN
            SELECT * INTO heard FROM ingest.situation WHERE id = NEW.situation_id;
            IF NEW.standing_id IS NULL OR NEW.standing_id IS DISTINCT FROM alerts.standing_for(
                heard.telegram, CASE NEW.msg_type WHEN 'Alert' THEN 'first' ELSE 'follow_up' END, heard.level) THEN
                RAISE EXCEPTION 'alert %: no standing approval covers it', NEW.id USING ERRCODE = 'insufficient_privilege';
            END IF;
        END IF;
    ELSIF (NEW.override_reason, NEW.standing_id) IS DISTINCT FROM (OLD.override_reason, OLD.standing_id) THEN
        RAISE EXCEPTION 'alert %: how it was approved is said at the approval', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state NOT IN ('draft', 'submitted') AND (NEW.category, NEW.web, NEW.urgency, NEW.severity, NEW.certainty)
       IS DISTINCT FROM (OLD.category, OLD.web, OLD.urgency, OLD.severity, OLD.certainty) THEN
        RAISE EXCEPTION 'alert %: approved words are frozen', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state = 'submitted' AND NEW.state IN ('submitted', 'approved') AND (
       (NEW.category, NEW.web, NEW.urgency, NEW.severity, NEW.certainty, NEW.effective_at) IS DISTINCT FROM
       (OLD.category, OLD.web, OLD.urgency, OLD.severity, OLD.certainty, OLD.effective_at)
       OR OLD.expires_at IS NOT NULL AND NEW.expires_at IS DISTINCT FROM OLD.expires_at) THEN
        RAISE EXCEPTION 'alert %: what was submitted is changed only as a draft', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state = 'draft' AND NEW.state = 'submitted' AND EXISTS (
        SELECT FROM alerts.alert_text t WHERE t.alert_id = NEW.id AND t.short ~ '\{\{|\}\}') THEN
        RAISE EXCEPTION 'alert %: a blank is not filled', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_authority BEFORE INSERT OR UPDATE ON alerts.alert FOR EACH ROW EXECUTE FUNCTION alerts.guard_authority();

-- Whichever way somebody sends alone, the approvers are told.
CREATE FUNCTION alerts.note_override() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO alerts.notice (alert_id, kind) VALUES (NEW.id, 'override');
    RETURN NULL;
END $$;
CREATE TRIGGER note_override AFTER UPDATE ON alerts.alert FOR EACH ROW
    WHEN (OLD.state = 'submitted' AND NEW.state = 'approved' AND NEW.override_reason <> '') EXECUTE FUNCTION alerts.note_override();
REVOKE ALL ON FUNCTION alerts.guard_authority, alerts.note_override FROM PUBLIC;

-- As in 0002: nobody signs with another's name, nor without the role that the signature needs; alone with alert_override.
CREATE OR REPLACE FUNCTION alerts.guard_signature() RETURNS trigger
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
       AND NOT (NEW.approved_by = gis.current_account()
                AND gis.account_holds(NEW.approved_by, CASE NEW.override_reason WHEN '' THEN 'alert_approver' ELSE 'alert_override' END)) THEN
        RAISE EXCEPTION '% cannot approve an alert as %', gis.current_account(), NEW.approved_by
            USING ERRCODE = 'insufficient_privilege', HINT = 'It needs the role alert_approver (alone: alert_override), and the own name.';
    END IF;
    RETURN NEW;
END $$;

------------------------------------------------------------------------------ templates of the staff

CREATE TABLE alerts.template (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title      text NOT NULL CHECK (btrim(title) <> '' AND length(title) <= 100),
    event      text NOT NULL,                          -- code of data/alert_events.toml
    level      int NOT NULL CHECK (level BETWEEN 1 AND 5),
    kind       text NOT NULL,                          -- of incident, as the form proposes it
    created_by text NOT NULL DEFAULT gis.current_account(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL DEFAULT gis.current_account(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    retired_by text,                                   -- no longer offered; kept for the record
    retired_at timestamptz
);
CREATE TABLE alerts.template_text (
    template_id bigint NOT NULL REFERENCES alerts.template,
    language    text NOT NULL CHECK (language IN ('ja', 'ja-x-easy', 'en')),
    event       text NOT NULL,
    headline    text NOT NULL,
    description text NOT NULL,
    instruction text NOT NULL,
    short       text NOT NULL DEFAULT '',
    PRIMARY KEY (template_id, language)
);
CREATE TRIGGER guard_writer BEFORE INSERT OR UPDATE OR DELETE ON alerts.template FOR EACH STATEMENT EXECUTE FUNCTION alerts.guard_writer();
CREATE TRIGGER guard_writer BEFORE INSERT OR UPDATE OR DELETE ON alerts.template_text FOR EACH STATEMENT EXECUTE FUNCTION alerts.guard_writer();
GRANT SELECT, INSERT, UPDATE ON alerts.template, alerts.template_text TO dept_disaster, dept_disaster_viewer;
GRANT SELECT ON alerts.template, alerts.template_text TO machimori_service;

------------------------------------------------------------------------------ what anyone may read

-- As before (0015), with category and web; who approved, how and why stays inside.
CREATE OR REPLACE VIEW open.alert AS
SELECT id, identifier, coalesce(thread_id, id) AS thread_id, references_id, incident_fid, kind, cap_status, msg_type, phase, level,
       event, urgency, severity, certainty, area_name, area_code, area AS geom, state, effective_at, sent_at, expires_at, facts,
       onset_at, category, web
FROM alerts.alert a
WHERE state IN ('approved', 'sending', 'sent', 'updated', 'cancelled', 'expired')
  AND NOT EXISTS (SELECT FROM ingest.retention r
                  WHERE r.incident_fid IN (a.incident_fid, a.about_incident) AND r.expired_at IS NOT NULL);
CREATE OR REPLACE VIEW open.alert_text AS
SELECT t.alert_id, t.language, t.event, t.headline, t.description, t.instruction, t.short
FROM alerts.alert_text t JOIN open.alert a ON a.id = t.alert_id;

-- How many other systems would be told; their addresses and secrets stay with the service.
CREATE FUNCTION alerts.count_receivers(wanted_status text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT count(*) FROM alerts.webhook WHERE is_active AND (wanted_status = 'Actual' OR takes_drills)
$$;
REVOKE ALL ON FUNCTION alerts.count_receivers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION alerts.count_receivers TO dept_disaster, dept_disaster_viewer, machimori_service;
