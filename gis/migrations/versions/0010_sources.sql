-- Sources: merging, moderation, privacy. What is for few eyes lies apart from what many read.

-- The source speaks of persons: bodies and rejected records are for moderators.
ALTER TABLE ingest.document ADD COLUMN is_private boolean NOT NULL DEFAULT false,
                            ADD COLUMN erased_at timestamptz;          -- body blanked at the end of its retention
ALTER TABLE ingest.report   ADD COLUMN private_sha256 text NOT NULL DEFAULT '';

-- Of a report, what many must not read. Erased after the retention of its kind; the report itself stays.
CREATE TABLE ingest.report_private (
    report_id  bigint PRIMARY KEY REFERENCES ingest.report,
    position   geometry(Point, 6668),                  -- as precisely as the source said; NULL: no place that is known
    accuracy_m double precision,                       -- radius around the position within which it happened
    place_text text NOT NULL DEFAULT '',               -- the place in the source's words
    original   text NOT NULL DEFAULT '',               -- the source's words before anything was taken out
    details    jsonb NOT NULL DEFAULT '{}',            -- features of persons, vehicles, contacts
    erased_at  timestamptz
);

-- Two incidents that are one: the member is shown as part of the other. Found by likeness, or joined by hand.
CREATE TABLE ingest.merge (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_fid bigint NOT NULL,                      -- the member
    into_fid     bigint NOT NULL CHECK (into_fid <> incident_fid),
    score        double precision CHECK (score BETWEEN 0 AND 1),  -- NULL: joined by hand
    reasons      jsonb NOT NULL DEFAULT '[]',          -- in words, for the person who judges
    decided_by   text NOT NULL DEFAULT gis.current_account(),
    decided_at   timestamptz NOT NULL DEFAULT now(),
    undone_by    text,
    undone_at    timestamptz,
    undo_reason  text NOT NULL DEFAULT ''
);
-- Usage: an incident is part of one other at most.
CREATE UNIQUE INDEX merge_standing ON ingest.merge (incident_fid) WHERE undone_at IS NULL;
-- Usage: the members of an incident.
CREATE INDEX merge_into ON ingest.merge (into_fid) WHERE undone_at IS NULL;

-- What a moderator decided about an incident stands above what its reports say.
CREATE TABLE ingest.moderation (
    incident_fid bigint PRIMARY KEY,
    headline     text,                                 -- NULL: what the reports say
    description  text,
    area         geometry(Geometry, 6668),
    said         jsonb NOT NULL DEFAULT '{}',          -- what the reports said then: something else since is a reason to look again
    reason       text NOT NULL DEFAULT '',
    decided_by   text NOT NULL DEFAULT gis.current_account(),
    decided_at   timestamptz NOT NULL DEFAULT now()
);

------------------------------------------------------------------------------ grants

-- Whether the running role may read what is private: the service, whoever owns everything, and moderators.
CREATE FUNCTION gis.reads_private() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT NOT gis.is_person_acting() OR gis.account_holds(gis.current_account(), 'moderator')
$$;
REVOKE ALL ON FUNCTION gis.reads_private FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gis.reads_private TO machimori_service, department;

GRANT SELECT, INSERT, UPDATE ON ingest.report_private, ingest.merge, ingest.moderation TO machimori_service;
GRANT SELECT ON ingest.report_private, ingest.merge, ingest.moderation TO dept_disaster, dept_disaster_viewer;
GRANT INSERT, UPDATE ON ingest.merge, ingest.moderation TO dept_disaster;

ALTER TABLE ingest.report_private ENABLE ROW LEVEL SECURITY;
CREATE POLICY few_eyes ON ingest.report_private USING ((SELECT gis.reads_private()));
ALTER TABLE ingest.document ENABLE ROW LEVEL SECURITY;
CREATE POLICY few_eyes ON ingest.document USING (NOT is_private OR (SELECT gis.reads_private()));
ALTER TABLE ingest.dead_letter ENABLE ROW LEVEL SECURITY;
CREATE POLICY few_eyes ON ingest.dead_letter
    USING ((SELECT gis.reads_private()) OR EXISTS (SELECT FROM ingest.document d WHERE d.id = document_id AND NOT d.is_private));
