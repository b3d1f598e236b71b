-- What is forgotten, and when; and what the public may see of persons meanwhile.

-- The area shown in place of an incident's place: chosen once, only ever widened while the place stands.
-- The database's owner and the service alone read it: the place is here, too, until it is erased.
CREATE TABLE ingest.shown_place (
    incident_fid bigint PRIMARY KEY,
    position     geometry(Point, 6668),                -- the place it was chosen for; NULL: words only, or erased
    accuracy_m   double precision NOT NULL DEFAULT 0,  -- of the place
    place_name   text NOT NULL DEFAULT '',             -- the quarter that the public reads beside it
    rule         text NOT NULL,                        -- ingest/privacy.py
    area         geometry(Geometry, 6668) NOT NULL,
    radius_m     double precision NOT NULL,            -- of a circle that covers the area
    chosen_at    timestamptz NOT NULL DEFAULT now()
);

-- What has been forgotten of an incident, or must not be (法的保全: a court or the police asked to keep it).
CREATE TABLE ingest.retention (
    incident_fid bigint PRIMARY KEY,
    held_reason  text,                                 -- NULL: no hold
    held_by      text,
    held_at      timestamptz,
    expired_at   timestamptz,                          -- the public no longer sees it, nor the alerts about it
    erased_at    timestamptz,                          -- its words are gone, here and in the history
    CONSTRAINT hold_has_a_reason CHECK (held_at IS NULL OR held_reason <> '')
);

-- Each act of forgetting: that it was done, never what it was about.
CREATE TABLE ingest.erasure (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what    text NOT NULL,                             -- incident_expired, report, document, incident, hold, hold_ended
    rule    text NOT NULL,                             -- e.g. precise_days, or request
    reason  text NOT NULL DEFAULT '',
    count   int NOT NULL,
    ids     bigint[] NOT NULL,
    account text NOT NULL DEFAULT gis.current_account(),
    done_at timestamptz NOT NULL DEFAULT now()
);

-- Usage: whose retention is over (the hourly job).
CREATE INDEX report_private_kept ON ingest.report_private (report_id) WHERE erased_at IS NULL;
-- Usage: private bodies that may be due (the hourly job).
CREATE INDEX document_private_kept ON ingest.document (id) WHERE is_private AND erased_at IS NULL;

GRANT SELECT, INSERT, UPDATE ON ingest.shown_place, ingest.retention TO machimori_service;
GRANT SELECT, INSERT ON ingest.erasure TO machimori_service;
GRANT SELECT ON ingest.retention, ingest.erasure TO dept_disaster, dept_disaster_viewer;

-- The history of the layer and the log of the desk are nobody's to write. This one change is the service's: words go,
-- the fact that something was changed or decided, by whom and when, stays.
CREATE FUNCTION ingest.blank_history(wanted bigint[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    blanked int;
BEGIN
    UPDATE history.incident SET headline = NULL, description = NULL
    WHERE fid = ANY(wanted) AND (headline IS NOT NULL OR description IS NOT NULL);
    GET DIAGNOSTICS blanked = ROW_COUNT;
    DELETE FROM ingest.incident_note WHERE incident_fid = ANY(wanted);
    UPDATE ingest.moderation_step SET reason = '' WHERE incident_fid = ANY(wanted) AND reason <> '';
    DELETE FROM ingest.likeness WHERE incident_fid = ANY(wanted) OR other_fid = ANY(wanted);
    RETURN blanked;
END $$;
REVOKE ALL ON FUNCTION ingest.blank_history FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest.blank_history TO machimori_service;

-- An alert about an incident that is no longer public is not public either; its texts follow (open.alert_text).
CREATE OR REPLACE VIEW open.alert AS
SELECT id, identifier, coalesce(thread_id, id) AS thread_id, references_id, incident_fid, kind, cap_status, msg_type, phase, level,
       event, urgency, severity, certainty, area_name, area_code, area AS geom, state, effective_at, sent_at, expires_at, facts
FROM alerts.alert a
WHERE state IN ('approved', 'sending', 'sent', 'updated', 'cancelled', 'expired')
  AND NOT EXISTS (SELECT FROM ingest.retention r WHERE r.incident_fid = a.incident_fid AND r.expired_at IS NOT NULL);

-- Of a person's incident the public reads what a moderator passed, once: the words of each report stay inside.
CREATE OR REPLACE FUNCTION open.timeline(wanted_incident bigint)
RETURNS TABLE (id bigint, telegram text, kind text, status text, phase text, level int, reported_at timestamptz,
               office text, headline text, text text, facts jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    RETURN QUERY
    SELECT s.id, s.telegram, s.kind, s.status, s.phase, s.level, s.reported_at, s.office,
           CASE WHEN i.is_personal THEN coalesce(i.headline, '') ELSE s.headline END,
           CASE WHEN i.is_personal THEN '' ELSE s.text END,
           CASE WHEN i.is_personal THEN '{}' ELSE s.facts END
    FROM ingest.situation s JOIN open.incident i ON i.fid = s.incident_fid
    WHERE s.incident_fid = wanted_incident
    ORDER BY s.reported_at, s.id;
END $$;
