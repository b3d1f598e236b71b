-- The desk of the moderators: likeness, decisions that stand above later reports, and who may take them.

-- Of a layer whose definition says `writer_role`: persons write it only when they hold that role, through whatever door.
CREATE FUNCTION gis.guard_writer_role() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF gis.is_person_acting() AND NOT gis.account_holds(gis.current_account(), TG_ARGV[0]) THEN
        RAISE EXCEPTION '% may not write %.%', gis.current_account(), TG_TABLE_SCHEMA, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege', HINT = 'It needs the role ' || TG_ARGV[0] || '.';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION gis.guard_writer_role FROM PUBLIC;

ALTER TABLE ingest.merge
    ADD COLUMN publication_before text NOT NULL DEFAULT 'pending',  -- what the member gets back
    ADD COLUMN reason text NOT NULL DEFAULT '';                     -- in the words of who joined by hand

ALTER TABLE ingest.moderation
    ADD COLUMN state text CHECK (state IN ('open', 'resolved')),    -- NULL: what the reports say
    ADD COLUMN area_radius_m double precision,                      -- of a circle that covers the area
    ADD COLUMN says jsonb NOT NULL DEFAULT '{}',                    -- what the reports say now
    ADD COLUMN said_area geometry(Geometry, 6668),                  -- where the reports place it now, as the public may see it
    ADD COLUMN said_radius_m double precision;

-- Two incidents that may be one, or a member that no longer fits: proposed, until someone decides.
CREATE TABLE ingest.likeness (
    incident_fid bigint NOT NULL,
    other_fid    bigint NOT NULL CHECK (other_fid > incident_fid),
    proposal     text NOT NULL CHECK (proposal IN ('join', 'split')),
    score        double precision NOT NULL CHECK (score BETWEEN 0 AND 1),
    reasons      jsonb NOT NULL,                       -- ingest/likeness.py
    found_at     timestamptz NOT NULL DEFAULT now(),
    decided_by   text,                                 -- NULL: still open
    decided_at   timestamptz,
    PRIMARY KEY (incident_fid, other_fid)              -- Usage: the proposals about a pair.
);
-- Usage: the proposals about an incident that is the later one of the pair.
CREATE INDEX likeness_other ON ingest.likeness (other_fid);

-- Each act at the desk, in order; what a person overrode stands by name.
CREATE TABLE ingest.moderation_step (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_fid bigint NOT NULL,
    act          text NOT NULL CHECK (act IN ('published', 'held', 'rejected', 'text', 'area', 'resolved', 'reopened',
                                              'joined', 'split', 'kept_apart')),
    reason       text NOT NULL DEFAULT '',
    overrode     text[] NOT NULL DEFAULT '{}',         -- findings of the redaction, or `area`
    account      text NOT NULL DEFAULT gis.current_account(),
    done_at      timestamptz NOT NULL DEFAULT now()
);
-- Usage: the story of an incident.
CREATE INDEX moderation_step_incident ON ingest.moderation_step (incident_fid, id);

-- Usage: incidents of a kind that were reported within days (ingest/matching.py).
CREATE INDEX report_kind_time ON ingest.report (kind, reported_at) WHERE incident_fid IS NOT NULL;

-- Words among the moderators; they may hold what nobody else reads.
CREATE TABLE ingest.incident_note (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_fid bigint NOT NULL,
    note         text NOT NULL CHECK (btrim(note) <> '' AND length(note) <= 2000),
    account      text NOT NULL DEFAULT gis.current_account(),
    written_at   timestamptz NOT NULL DEFAULT now()
);
-- Usage: the notes about an incident.
CREATE INDEX incident_note_incident ON ingest.incident_note (incident_fid, id);

-- Who looks at an incident now; a light claim that ends by itself.
CREATE TABLE ingest.desk_claim (
    incident_fid bigint PRIMARY KEY,
    account      text NOT NULL DEFAULT gis.current_account(),
    until_at     timestamptz NOT NULL
);

------------------------------------------------------------------------------ who may

CREATE TRIGGER guard_writer BEFORE INSERT OR UPDATE OR DELETE ON ingest.merge FOR EACH STATEMENT EXECUTE FUNCTION gis.guard_writer_role('moderator');
CREATE TRIGGER guard_writer BEFORE INSERT OR UPDATE OR DELETE ON ingest.moderation FOR EACH STATEMENT EXECUTE FUNCTION gis.guard_writer_role('moderator');
CREATE TRIGGER guard_writer BEFORE INSERT OR UPDATE OR DELETE ON ingest.likeness FOR EACH STATEMENT EXECUTE FUNCTION gis.guard_writer_role('moderator');
CREATE TRIGGER guard_writer BEFORE INSERT OR UPDATE OR DELETE ON ingest.moderation_step FOR EACH STATEMENT EXECUTE FUNCTION gis.guard_writer_role('moderator');
CREATE TRIGGER guard_writer BEFORE INSERT OR UPDATE OR DELETE ON ingest.incident_note FOR EACH STATEMENT EXECUTE FUNCTION gis.guard_writer_role('moderator');
CREATE TRIGGER guard_writer BEFORE INSERT OR UPDATE OR DELETE ON ingest.desk_claim FOR EACH STATEMENT EXECUTE FUNCTION gis.guard_writer_role('moderator');

-- Nobody decides under another's name, and merges form neither chains nor circles.
CREATE FUNCTION ingest.guard_merge() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.incident_fid, NEW.into_fid, NEW.decided_by, NEW.decided_at) IS DISTINCT FROM (OLD.incident_fid, OLD.into_fid, OLD.decided_by, OLD.decided_at)
           OR OLD.undone_at IS NOT NULL THEN
            RAISE EXCEPTION 'a merge is undone, never rewritten' USING ERRCODE = 'insufficient_privilege';
        END IF;
        NEW.undone_by := gis.current_account();
        RETURN NEW;
    END IF;
    NEW.decided_by := gis.current_account();
    -- One at a time: what is checked here must still hold at the commit.
    PERFORM pg_advisory_xact_lock(hashtextextended('ingest.merge', 0));
    IF EXISTS (SELECT FROM ingest.merge m WHERE m.undone_at IS NULL
               AND (m.incident_fid = NEW.into_fid OR m.into_fid = NEW.incident_fid)) THEN
        RAISE EXCEPTION 'incident % or % is part of a merge already', NEW.incident_fid, NEW.into_fid USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_merge BEFORE INSERT OR UPDATE ON ingest.merge FOR EACH ROW EXECUTE FUNCTION ingest.guard_merge();

CREATE FUNCTION ingest.sign_act() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF gis.is_person_acting() THEN
        NEW.account := gis.current_account();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sign_act BEFORE INSERT ON ingest.moderation_step FOR EACH ROW EXECUTE FUNCTION ingest.sign_act();
CREATE TRIGGER sign_act BEFORE INSERT ON ingest.incident_note FOR EACH ROW EXECUTE FUNCTION ingest.sign_act();
CREATE TRIGGER sign_act BEFORE INSERT OR UPDATE ON ingest.desk_claim FOR EACH ROW EXECUTE FUNCTION ingest.sign_act();

GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.likeness TO machimori_service;
GRANT SELECT, INSERT, UPDATE ON ingest.likeness TO dept_disaster;
GRANT SELECT, INSERT ON ingest.moderation_step, ingest.incident_note TO machimori_service, dept_disaster;
GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.desk_claim TO dept_disaster;
GRANT SELECT ON ingest.likeness, ingest.moderation_step, ingest.incident_note, ingest.desk_claim TO dept_disaster_viewer;
GRANT DELETE ON ingest.incident_note TO machimori_service;

ALTER TABLE ingest.incident_note ENABLE ROW LEVEL SECURITY;
CREATE POLICY few_eyes ON ingest.incident_note USING ((SELECT gis.reads_private()));
-- Reasons may speak of persons, too.
ALTER TABLE ingest.moderation_step ENABLE ROW LEVEL SECURITY;
CREATE POLICY few_eyes ON ingest.moderation_step USING ((SELECT gis.reads_private()));

------------------------------------------------------------------------------ what the public reads

-- The timeline of an incident and of those that are part of it; of persons only what a moderator passed.
CREATE OR REPLACE FUNCTION open.timeline(wanted_incident bigint)
RETURNS TABLE (id bigint, telegram text, kind text, status text, phase text, level int, reported_at timestamptz,
               office text, headline text, text text, facts jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    RETURN QUERY
    SELECT s.id, s.telegram, s.kind, s.status, s.phase, s.level, s.reported_at, s.office,
           CASE WHEN i.is_personal OR own.is_personal THEN coalesce(i.headline, '') ELSE s.headline END,
           CASE WHEN i.is_personal OR own.is_personal THEN '' ELSE s.text END,
           CASE WHEN i.is_personal OR own.is_personal THEN '{}' ELSE s.facts END
    FROM open.incident i
    CROSS JOIN LATERAL (SELECT i.fid AS fid UNION ALL
                        SELECT m.incident_fid FROM ingest.merge m WHERE m.into_fid = i.fid AND m.undone_at IS NULL) part
    JOIN layers.incident own ON own.fid = part.fid AND (own.fid = i.fid OR own.publication = 'merged' AND own.state <> 'cancelled')
    JOIN ingest.situation s ON s.incident_fid = own.fid
    WHERE i.fid = wanted_incident
    ORDER BY s.reported_at, s.id;
END $$;
