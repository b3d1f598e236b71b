-- When sources run, and what happens when they fail or say nothing.

-- Kept here and not in a process: whichever scheduler leads next goes on from it.
ALTER TABLE ingest.source
    ADD COLUMN first_seen_at     timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN next_run_at       timestamptz,          -- NULL: it has no schedule, or was never planned
    ADD COLUMN failing_since     timestamptz,          -- the first failure in a row
    ADD COLUMN circuit_opened_at timestamptz,          -- so many failures that only trials are made (half-open)
    ADD COLUMN paused_at         timestamptz,
    ADD COLUMN paused_by         text,
    ADD COLUMN pause_reason      text,
    ADD CONSTRAINT pause_is_whole CHECK ((paused_at IS NULL) = (paused_by IS NULL) AND (paused_at IS NULL) = (pause_reason IS NULL));

-- One line per run; kept for a month.
CREATE TABLE ingest.run (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source     text NOT NULL,
    asked_by   text NOT NULL,                          -- clock, or the account that pressed "run now"
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    outcome    text NOT NULL DEFAULT 'running' CHECK (outcome IN ('running', 'good', 'failed', 'too_long', 'lost')),
    documents  int NOT NULL DEFAULT 0,                 -- looked at
    added      int NOT NULL DEFAULT 0,                 -- of them, not seen before
    changed    int NOT NULL DEFAULT 0,                 -- reports new or different
    rejected   int NOT NULL DEFAULT 0,                 -- records and documents that did not parse
    error      text NOT NULL DEFAULT '',
    CHECK ((outcome = 'running') = (ended_at IS NULL))
);
-- Usage: the runs of a source, newest first, a page at a time.
CREATE INDEX run_source ON ingest.run (source, id DESC);
-- Usage: prune what is older than a month.
CREATE INDEX run_started ON ingest.run (started_at);
-- Usage: what the last run of a source left open when its worker died.
CREATE INDEX run_open ON ingest.run (source) WHERE ended_at IS NULL;

-- Usage: the documents of a source, newest first; when the last new one came.
CREATE INDEX document_source ON ingest.document (source, id DESC);
-- Usage: the reports of a document; the newest report of a source.
CREATE INDEX report_document ON ingest.report (document_id);
CREATE INDEX report_source ON ingest.report (source, id DESC);

-- What the staff must know about a source; one standing row per cause.
CREATE TABLE ingest.alarm (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         text NOT NULL,
    cause          text NOT NULL CHECK (cause IN ('failing', 'silent', 'future', 'past', 'configuration')),
    since          timestamptz NOT NULL,               -- how long it has been so
    reason         text NOT NULL DEFAULT '',           -- in the program's or the other side's own words
    opened_at      timestamptz NOT NULL DEFAULT now(),
    last_seen_at   timestamptz NOT NULL DEFAULT now(),
    closed_at      timestamptz,
    mailed_at      timestamptz,
    back_mailed_at timestamptz
);
-- Usage: one standing alarm per cause.
CREATE UNIQUE INDEX alarm_standing ON ingest.alarm (source, cause) WHERE closed_at IS NULL;
-- Usage: whether this cause was mailed within the hour.
CREATE INDEX alarm_mailed ON ingest.alarm (source, cause, mailed_at) WHERE mailed_at IS NOT NULL;

-- That a clock goes at all: the leading scheduler's last tick. One row.
CREATE TABLE ingest.clock (
    is_one    boolean PRIMARY KEY DEFAULT true CHECK (is_one),
    leader    text NOT NULL,                           -- host and process, for people
    ticked_at timestamptz NOT NULL DEFAULT now()
);

-- What a person did to a source: the row is the deed, so that none is without a name.
CREATE TABLE ingest.source_action (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text NOT NULL,
    action      text NOT NULL CHECK (action IN ('run', 'pause', 'resume', 'retry', 'view')),
    document_id bigint REFERENCES ingest.document,     -- retry: to be parsed again; view: a private body that was read
    reason      text NOT NULL DEFAULT '',
    account     text NOT NULL DEFAULT gis.current_account(),
    acted_at    timestamptz NOT NULL DEFAULT now(),
    CHECK ((action IN ('retry', 'view')) = (document_id IS NOT NULL)),
    CHECK (action <> 'pause' OR reason <> '')
);
-- Usage: what was done to a source, newest first.
CREATE INDEX source_action_source ON ingest.source_action (source, id DESC);

-- Looking needs no more than the row policies; everything else is for moderators, under their own name.
CREATE FUNCTION ingest.guard_action() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF gis.is_person_acting() THEN
        IF NEW.account <> gis.current_account() THEN
            RAISE EXCEPTION '% cannot act as %', gis.current_account(), NEW.account USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF NEW.action <> 'view' AND NOT gis.account_holds(NEW.account, 'moderator') THEN
            RAISE EXCEPTION '% is no moderator', NEW.account
                USING ERRCODE = 'insufficient_privilege', HINT = 'It needs the role moderator.';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_action BEFORE INSERT ON ingest.source_action FOR EACH ROW EXECUTE FUNCTION ingest.guard_action();

-- Pausing and resuming happen by the row itself.
CREATE FUNCTION ingest.apply_action() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF NEW.action = 'pause' THEN
        INSERT INTO ingest.source (name, paused_at, paused_by, pause_reason)
        VALUES (NEW.source, NEW.acted_at, NEW.account, NEW.reason)
        ON CONFLICT (name) DO UPDATE SET
            paused_at = excluded.paused_at, paused_by = excluded.paused_by, pause_reason = excluded.pause_reason;
    ELSIF NEW.action = 'resume' THEN
        -- At once: what came meanwhile is caught up.
        UPDATE ingest.source SET paused_at = NULL, paused_by = NULL, pause_reason = NULL, next_run_at = now()
        WHERE name = NEW.source;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER apply_action AFTER INSERT ON ingest.source_action FOR EACH ROW EXECUTE FUNCTION ingest.apply_action();

------------------------------------------------------------------------------ grants

GRANT SELECT, INSERT, UPDATE ON ingest.run, ingest.alarm, ingest.clock TO machimori_service;
GRANT DELETE ON ingest.run, ingest.dead_letter TO machimori_service;
GRANT SELECT, INSERT ON ingest.source_action TO machimori_service;
GRANT SELECT ON ingest.run, ingest.alarm, ingest.clock, ingest.source_action TO dept_disaster, dept_disaster_viewer;
GRANT INSERT (source, action, document_id, reason) ON ingest.source_action TO dept_disaster, dept_disaster_viewer;
