-- The ground: schemas, departments, accounts, changesets, reports, alerts, deliveries.
-- Layer tables are not made here: they follow from the definitions in data/layers (layers/tables.py).
-- Runs as machimori_owner, which then owns everything and is no superuser.

CREATE SCHEMA gis;      -- the ground: catalogue, accounts, changesets
CREATE SCHEMA layers;   -- one table per layer, EPSG:6668
CREATE SCHEMA history;  -- typed history of each layer
CREATE SCHEMA tiles;    -- drawing twin of each layer, EPSG:3857
CREATE SCHEMA open;     -- the only schema the role citizen can read
CREATE SCHEMA ingest;   -- what comes in
CREATE SCHEMA alerts;   -- what goes out
CREATE SCHEMA queue;    -- Procrastinate's own tables

------------------------------------------------------------------------------ gis

CREATE TABLE gis.department (
    name      text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,39}$'),
    role_name text NOT NULL UNIQUE,
    title_ja  text NOT NULL,
    title_en  text NOT NULL
);

CREATE TABLE gis.account (
    name          text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9._-]{1,39}$'),
    title         text NOT NULL,                       -- 氏名 or post
    department    text NOT NULL REFERENCES gis.department,
    password_hash text NOT NULL,                       -- argon2id
    is_active     boolean NOT NULL DEFAULT true,
    is_demo       boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_login_at timestamptz
);

CREATE TABLE gis.layer (
    name       text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,39}$'),
    definition jsonb NOT NULL,                         -- the whole definition, as in data/layers/<name>.toml
    ddl_sha256 text NOT NULL,                          -- of the statements it led to: another one means its tables are out of date
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE gis.changeset (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account    text NOT NULL,                          -- the person (or service) who did it
    role_name  text NOT NULL,                          -- in which role
    reason     text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    xact_id    bigint NOT NULL                         -- the transaction it belongs to
);
-- Usage: gis.current_changeset() finds the changeset of the running transaction.
CREATE INDEX changeset_xact ON gis.changeset (xact_id, created_at);
-- Usage: history of a person.
CREATE INDEX changeset_account ON gis.changeset (account, id DESC);

-- The person behind the running statement: session_user for a direct login;
-- only the application's login may name an account.
-- Every name is qualified instead of a search_path of its own: so it is inlined into the stamp of each row.
CREATE FUNCTION gis.current_account() RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN session_user OPERATOR(pg_catalog.<>) 'machimori_app'::pg_catalog.name THEN session_user::pg_catalog.text
                WHEN pg_catalog.current_setting('machimori.account', true) OPERATOR(pg_catalog.<>) ''::pg_catalog.text
                THEN pg_catalog.current_setting('machimori.account', true)
                ELSE current_user::pg_catalog.text END
$$;

-- The changeset of the running transaction, made on first need.
-- Runs as owner so that no role can write or forge changesets itself.
CREATE FUNCTION gis.current_changeset() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    found_id bigint;
    my_xact  bigint := pg_current_xact_id()::text::bigint;
BEGIN
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

------------------------------------------------------------------------------ ingest

CREATE TABLE ingest.source (
    name                 text PRIMARY KEY,
    last_run_at          timestamptz,
    last_success_at      timestamptz,
    last_error           text,
    consecutive_failures int NOT NULL DEFAULT 0,
    etags                jsonb NOT NULL DEFAULT '{}'   -- url -> {etag, last_modified}, for conditional requests
);

-- Every body exactly as received, before anything looks at it.
CREATE TABLE ingest.document (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       text NOT NULL,
    origin       text NOT NULL CHECK (origin IN ('feed', 'replay', 'push', 'drill')),
    name         text NOT NULL,                        -- file name or URL
    sha256       text NOT NULL,                        -- of the whole body, hexadecimal
    byte_size    bigint NOT NULL,                      -- of the whole body
    body         bytea NOT NULL,                       -- the body, or its start when it was over the limit
    is_truncated boolean NOT NULL DEFAULT false,
    received_at  timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    parsed_at    timestamptz,                          -- NULL: stored, not yet worked on
    UNIQUE (source, sha256)                            -- Usage: the same body again is not stored again.
);
-- Usage: what a crash left unparsed.
CREATE INDEX document_unparsed ON ingest.document (id) WHERE parsed_at IS NULL;
-- Usage: which entries of a feed were fetched already.
CREATE INDEX document_name ON ingest.document (source, name);

CREATE TABLE ingest.dead_letter (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_id bigint NOT NULL REFERENCES ingest.document,
    record      text NOT NULL DEFAULT '',              -- which record of the document, '' = the whole
    reason      text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (document_id, record)
);

-- 通報: one message from one source.
CREATE TABLE ingest.report (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source        text NOT NULL,
    source_id     text NOT NULL,                       -- the source's own identity of the message
    document_id   bigint NOT NULL REFERENCES ingest.document,
    telegram      text NOT NULL DEFAULT '',            -- JMA's data type code, e.g. VTSE41
    kind          text NOT NULL,                       -- earthquake, tsunami, … (data/codes/incident_kind.toml)
    status        text NOT NULL CHECK (status IN ('Actual', 'Exercise', 'Test')),
    action        text NOT NULL CHECK (action IN ('issue', 'correct', 'withdraw')),  -- 発表, 訂正, 取消
    event_key     text NOT NULL,                       -- reports of one key form one incident
    serial        int,
    reported_at   timestamptz NOT NULL,                -- ReportDateTime
    controlled_at timestamptz NOT NULL,                -- Control/DateTime: breaks ties of reported_at
    office        text NOT NULL DEFAULT '',
    headline      text NOT NULL DEFAULT '',
    text          text NOT NULL DEFAULT '',
    facts         jsonb NOT NULL,                      -- the typed record of ingest/…, as JSON
    concerns_town boolean NOT NULL,
    incident_fid  bigint,                              -- layers.incident; NULL: not about this town
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source, source_id)
);
-- Usage: fold all reports of one event.
CREATE INDEX report_event ON ingest.report (event_key, reported_at);
-- Usage: reports of an incident.
CREATE INDEX report_incident ON ingest.report (incident_fid, reported_at);

-- The timeline of an incident: what was known for the town after each report.
-- ingest writes it, alerts reads it: this table is where the two meet.
CREATE TABLE ingest.situation (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_fid bigint NOT NULL,
    report_id    bigint NOT NULL REFERENCES ingest.report,
    telegram     text NOT NULL DEFAULT '',
    kind         text NOT NULL,
    status       text NOT NULL CHECK (status IN ('Actual', 'Exercise', 'Test')),
    phase        text NOT NULL CHECK (phase IN ('issued', 'updated', 'cleared', 'withdrawn')),  -- 発表, 更新, 解除, 取消
    level        int NOT NULL CHECK (level BETWEEN 0 AND 5),
    is_fresh     boolean NOT NULL,                     -- false: arrived so late that nothing may go out by itself
    reported_at  timestamptz NOT NULL,
    office       text NOT NULL DEFAULT '',
    headline     text NOT NULL DEFAULT '',
    text         text NOT NULL DEFAULT '',
    facts        jsonb NOT NULL,                       -- see ingest/facts.py
    created_at   timestamptz NOT NULL DEFAULT now()
);
-- Usage: the timeline on an incident's page.
CREATE INDEX situation_incident ON ingest.situation (incident_fid, id);

------------------------------------------------------------------------------ alerts

-- telegram kind × level → what happens by itself.
CREATE TABLE alerts.policy (
    telegram     text NOT NULL,
    level        int NOT NULL CHECK (level BETWEEN 0 AND 5),
    action       text NOT NULL CHECK (action IN ('automatic', 'draft', 'ignore')),
    follow_up    text NOT NULL CHECK (follow_up IN ('automatic', 'draft', 'ignore')),  -- once an alert of the thread was sent
    note         text NOT NULL DEFAULT '',
    PRIMARY KEY (telegram, level)
);

-- お知らせ・警報: what the city says. One row is one CAP message.
CREATE TABLE alerts.alert (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    identifier    text NOT NULL UNIQUE,                -- CAP identifier
    thread_id     bigint REFERENCES alerts.alert,      -- the first alert of the thread, NULL for itself
    references_id bigint REFERENCES alerts.alert,      -- the message before, NULL for the first
    incident_fid  bigint,
    situation_id  bigint REFERENCES ingest.situation,
    kind          text NOT NULL,
    cap_status    text NOT NULL CHECK (cap_status IN ('Actual', 'Exercise', 'Test')),
    msg_type      text NOT NULL CHECK (msg_type IN ('Alert', 'Update', 'Cancel')),
    phase         text NOT NULL CHECK (phase IN ('issued', 'updated', 'cleared', 'withdrawn')),
    level         int NOT NULL CHECK (level BETWEEN 0 AND 5),
    event         text NOT NULL,                       -- code of the event, e.g. tsunami.major_warning
    urgency       text NOT NULL CHECK (urgency IN ('Immediate', 'Expected', 'Future', 'Past', 'Unknown')),
    severity      text NOT NULL CHECK (severity IN ('Extreme', 'Severe', 'Moderate', 'Minor', 'Unknown')),
    certainty     text NOT NULL CHECK (certainty IN ('Observed', 'Likely', 'Possible', 'Unlikely', 'Unknown')),
    facts         jsonb NOT NULL DEFAULT '{}',         -- what of the situation was told
    area_name     text NOT NULL,
    area_code     text NOT NULL DEFAULT '',
    area          geometry(MultiPolygon, 6668) NOT NULL,
    state         text NOT NULL DEFAULT 'draft'
                  CHECK (state IN ('draft', 'submitted', 'approved', 'sending', 'sent', 'updated', 'cancelled', 'expired', 'discarded')),
    effective_at  timestamptz NOT NULL,                -- when the source said it
    sent_at       timestamptz,                         -- when the city said it (CAP sent); frozen at approval
    expires_at    timestamptz,
    submitted_by  text,
    approved_by   text,
    created_by    text NOT NULL DEFAULT gis.current_account(),
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT two_people CHECK (approved_by IS NULL OR approved_by <> submitted_by),
    CONSTRAINT frozen_when_approved CHECK (state IN ('draft', 'submitted', 'discarded') OR (sent_at IS NOT NULL AND approved_by IS NOT NULL AND submitted_by IS NOT NULL))
);
-- Usage: the thread of an incident; the last alert told.
CREATE INDEX alert_incident ON alerts.alert (incident_fid, id);
-- Usage: alert areas on the map.
CREATE INDEX alert_area ON alerts.alert USING gist (area);

CREATE TABLE alerts.alert_text (
    alert_id    bigint NOT NULL REFERENCES alerts.alert ON DELETE CASCADE,
    language    text NOT NULL CHECK (language IN ('ja', 'ja-x-easy', 'en')),
    event       text NOT NULL,                         -- CAP event, e.g. 大津波警報
    headline    text NOT NULL,
    description text NOT NULL,
    instruction text NOT NULL,
    PRIMARY KEY (alert_id, language)
);

-- What was decided about each situation, and why: also that nothing was to be done.
CREATE TABLE alerts.decision (
    situation_id bigint PRIMARY KEY REFERENCES ingest.situation,  -- a situation is decided about once
    step         text NOT NULL CHECK (step IN ('nothing', 'draft', 'send', 'discard')),
    reason       text NOT NULL,
    alert_id     bigint REFERENCES alerts.alert,
    created_at   timestamptz NOT NULL DEFAULT now()
);

-- Every step of an alert, with name and time.
CREATE TABLE alerts.alert_step (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id   bigint NOT NULL REFERENCES alerts.alert,
    state      text NOT NULL,
    account    text NOT NULL,
    note       text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);
-- Usage: the steps of an alert, in order.
CREATE INDEX alert_step_alert ON alerts.alert_step (alert_id, id);

CREATE TABLE alerts.subscriber (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email      text NOT NULL UNIQUE,
    language   text NOT NULL CHECK (language IN ('ja', 'ja-x-easy', 'en')),
    kinds      text[] NOT NULL,                        -- incident kinds asked for
    state      text NOT NULL CHECK (state IN ('pending', 'confirmed', 'unsubscribed', 'suspended')),
    is_drill   boolean NOT NULL DEFAULT false,         -- on the drill list: gets drills, too
    is_demo    boolean NOT NULL DEFAULT false,
    token      text NOT NULL UNIQUE,                   -- for /subscription/<token>; unguessable
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE alerts.place (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscriber_id bigint NOT NULL REFERENCES alerts.subscriber ON DELETE CASCADE,
    name          text NOT NULL,                       -- 自宅, 職場, …
    position      geometry(Point, 6668) NOT NULL,
    radius_m      double precision NOT NULL DEFAULT 0 CHECK (radius_m BETWEEN 0 AND 50000),
    plane         geometry(Point) NOT NULL             -- position in the town's plane zone, metres
);
-- Usage: places of a subscriber.
CREATE INDEX place_subscriber ON alerts.place (subscriber_id);
-- Usage: which places may meet an alert's area; the exact test is ST_DWithin(plane, area, radius_m).
CREATE INDEX place_reach ON alerts.place USING gist (ST_Expand(plane, radius_m));

-- The outbox: one row is one message to one address.
CREATE TABLE alerts.delivery (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id        bigint NOT NULL REFERENCES alerts.alert,
    subscriber_id   bigint NOT NULL REFERENCES alerts.subscriber,
    channel         text NOT NULL DEFAULT 'mail',
    address         text NOT NULL,
    language        text NOT NULL,
    place_names     text[] NOT NULL DEFAULT '{}',
    nearest_sites   jsonb NOT NULL DEFAULT '[]',       -- [{name, distance_m, lon, lat}], frozen with the alert
    state           text NOT NULL DEFAULT 'pending'
                    CHECK (state IN ('pending', 'sending', 'accepted', 'deferred', 'bounced', 'failed', 'expired', 'suppressed')),
    attempts        int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    leased_until    timestamptz,
    finished_at     timestamptz,
    UNIQUE (alert_id, subscriber_id, channel)          -- one person, one message
);
-- Usage: claim what is due.
CREATE INDEX delivery_due ON alerts.delivery (alert_id, next_attempt_at) WHERE state IN ('pending', 'deferred', 'sending');
-- Usage: everyone who got the original.
CREATE INDEX delivery_subscriber ON alerts.delivery (subscriber_id, alert_id);

CREATE TABLE alerts.attempt (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id bigint NOT NULL REFERENCES alerts.delivery,
    started_at  timestamptz NOT NULL DEFAULT now(),
    relay       text NOT NULL DEFAULT '',
    outcome     text NOT NULL CHECK (outcome IN ('accepted', 'deferred', 'bounced', 'failed')),
    reply       text NOT NULL DEFAULT ''               -- the relay's own words
);
-- Usage: attempts of a delivery.
CREATE INDEX attempt_delivery ON alerts.attempt (delivery_id, id);

-- A drill cannot become live nor the reverse; what was said stays said.
CREATE FUNCTION alerts.guard_alert() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF NEW.cap_status <> OLD.cap_status THEN
        RAISE EXCEPTION 'alert %: a drill cannot become live nor the reverse', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state NOT IN ('draft', 'submitted') AND
       (NEW.identifier, NEW.msg_type, NEW.level, NEW.event, NEW.area_name, NEW.sent_at, NEW.approved_by, NEW.submitted_by)
       IS DISTINCT FROM
       (OLD.identifier, OLD.msg_type, OLD.level, OLD.event, OLD.area_name, OLD.sent_at, OLD.approved_by, OLD.submitted_by)
       OR OLD.state NOT IN ('draft', 'submitted') AND NOT NEW.area OPERATOR(public.~=) OLD.area THEN
        RAISE EXCEPTION 'alert %: approved text and area are frozen', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state, NEW.state) IN (
        ('draft', 'submitted'), ('draft', 'discarded'), ('submitted', 'draft'), ('submitted', 'approved'),
        ('submitted', 'discarded'), ('approved', 'sending'), ('sending', 'sent'),
        ('sending', 'updated'), ('sending', 'cancelled'), ('sending', 'expired'),
        ('sent', 'updated'), ('sent', 'cancelled'), ('sent', 'expired')) THEN
        RAISE EXCEPTION 'alert %: no way from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    NEW.updated_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_alert BEFORE UPDATE ON alerts.alert FOR EACH ROW EXECUTE FUNCTION alerts.guard_alert();

CREATE FUNCTION alerts.guard_text() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    alert_state text;
BEGIN
    SELECT state INTO alert_state FROM alerts.alert WHERE id = coalesce(OLD.alert_id, NEW.alert_id) FOR SHARE;
    IF alert_state NOT IN ('draft', 'submitted') THEN
        RAISE EXCEPTION 'alert %: approved text is frozen', coalesce(OLD.alert_id, NEW.alert_id) USING ERRCODE = 'check_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER guard_text BEFORE INSERT OR UPDATE OR DELETE ON alerts.alert_text FOR EACH ROW EXECUTE FUNCTION alerts.guard_text();

CREATE FUNCTION alerts.log_step() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.state <> OLD.state THEN
        INSERT INTO alerts.alert_step (alert_id, state, account, note)
        VALUES (NEW.id, NEW.state, gis.current_account(), coalesce(current_setting('machimori.reason', true), ''));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER log_step AFTER INSERT OR UPDATE ON alerts.alert FOR EACH ROW EXECUTE FUNCTION alerts.log_step();

-- Whatever happens above: a drill reaches the drill list only, and every delivery has a confirmed subscriber's own address.
CREATE FUNCTION alerts.guard_delivery() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    offender bigint;
BEGIN
    SELECT d.subscriber_id INTO offender
    FROM new_rows d
    JOIN alerts.alert a ON a.id = d.alert_id
    JOIN alerts.subscriber s ON s.id = d.subscriber_id
    WHERE (a.cap_status <> 'Actual' AND NOT s.is_drill)
       OR s.state <> 'confirmed'
       OR a.state NOT IN ('approved', 'sending')
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'delivery to subscriber %: not on the drill list, not confirmed, or the alert is not approved', offender
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard_delivery AFTER INSERT ON alerts.delivery
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION alerts.guard_delivery();

------------------------------------------------------------------------------ open: what anyone may read or do

CREATE VIEW open.alert AS
SELECT id, identifier, coalesce(thread_id, id) AS thread_id, references_id, incident_fid, kind, cap_status, msg_type, phase, level,
       event, urgency, severity, certainty, area_name, area_code, area AS geom, state, effective_at, sent_at, expires_at, facts
FROM alerts.alert
WHERE state IN ('approved', 'sending', 'sent', 'updated', 'cancelled', 'expired');

CREATE VIEW open.alert_text AS
SELECT t.* FROM alerts.alert_text t JOIN open.alert a ON a.id = t.alert_id;

-- What was known after each report of a published incident. A function, because open.incident follows
-- from the layer definitions and is made after this file.
CREATE FUNCTION open.timeline(wanted_incident bigint)
RETURNS TABLE (id bigint, telegram text, kind text, status text, phase text, level int, reported_at timestamptz,
               office text, headline text, text text, facts jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    RETURN QUERY
    SELECT s.id, s.telegram, s.kind, s.status, s.phase, s.level, s.reported_at, s.office, s.headline, s.text, s.facts
    FROM ingest.situation s JOIN open.incident i ON i.fid = s.incident_fid
    WHERE s.incident_fid = wanted_incident
    ORDER BY s.reported_at, s.id;
END $$;

-- One subscription as its holder may see it: the token is the key, the address is masked.
CREATE FUNCTION open.subscription(wanted_token text)
RETURNS TABLE (masked_email text, language text, kinds text[], state text, place_names text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT regexp_replace(s.email, '^(.).*(@.*)$', '\1…\2'), s.language, s.kinds, s.state,
           coalesce((SELECT array_agg(p.name ORDER BY p.id) FROM alerts.place p WHERE p.subscriber_id = s.id), '{}')
    FROM alerts.subscriber s WHERE s.token = wanted_token
$$;

-- End a subscription (RFC 8058 one-click, or the button on its page). True when the token is known.
CREATE FUNCTION open.unsubscribe(wanted_token text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    WITH ended AS (
        UPDATE alerts.subscriber SET state = 'unsubscribed', updated_at = now()
        WHERE token = wanted_token AND state <> 'unsubscribed' RETURNING 1)
    SELECT EXISTS (SELECT 1 FROM alerts.subscriber WHERE token = wanted_token)
           OR EXISTS (SELECT 1 FROM ended)
$$;
REVOKE ALL ON FUNCTION open.timeline, open.subscription, open.unsubscribe, gis.current_changeset FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open.subscription, open.unsubscribe TO citizen;
GRANT EXECUTE ON FUNCTION open.timeline TO citizen, department, machimori_service;
GRANT EXECUTE ON FUNCTION gis.current_changeset TO machimori_service, citizen, department;

------------------------------------------------------------------------------ grants

GRANT USAGE ON SCHEMA open TO citizen, machimori_service, department;
GRANT SELECT ON ALL TABLES IN SCHEMA open TO citizen, machimori_service, department;

GRANT USAGE ON SCHEMA gis, layers, tiles, history TO machimori_service, department;
GRANT SELECT ON gis.layer, gis.department, gis.changeset TO machimori_service, department;
GRANT SELECT ON gis.layer TO citizen;
GRANT USAGE ON SCHEMA gis TO citizen, machimori_gate;
GRANT SELECT ON gis.account, gis.department TO machimori_gate;
GRANT UPDATE (last_login_at) ON gis.account TO machimori_gate;

GRANT USAGE ON SCHEMA ingest, alerts, queue TO machimori_service;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA ingest TO machimori_service;
GRANT SELECT, INSERT, UPDATE ON alerts.alert, alerts.alert_text, alerts.delivery, alerts.attempt TO machimori_service;
GRANT SELECT ON alerts.policy, alerts.alert_step, alerts.place TO machimori_service;
GRANT SELECT, INSERT ON alerts.decision TO machimori_service;
GRANT SELECT, UPDATE (state, updated_at) ON alerts.subscriber TO machimori_service;
GRANT DELETE ON alerts.alert_text TO machimori_service;

-- The disaster office sees what came in, and drafts, submits and approves what goes out.
GRANT USAGE ON SCHEMA ingest, alerts, queue TO dept_disaster;
GRANT SELECT ON ALL TABLES IN SCHEMA ingest TO dept_disaster;
GRANT SELECT, INSERT, UPDATE ON alerts.alert, alerts.alert_text TO dept_disaster;
GRANT DELETE ON alerts.alert_text TO dept_disaster;
-- UPDATE: approving a withdrawal suppresses what of the withdrawn message was not handed over yet.
GRANT SELECT, INSERT, UPDATE (state, finished_at) ON alerts.delivery TO dept_disaster;
GRANT SELECT ON alerts.policy, alerts.decision, alerts.alert_step, alerts.attempt, alerts.place, alerts.subscriber TO dept_disaster;
