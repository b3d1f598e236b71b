-- Reports of citizens: what belongs to the reporter (contact, photos, whence it came) stands apart from the report, which
-- goes the way of every other source. Nobody but the service and moderators reads it; it ends with its retention.

CREATE TABLE ingest.citizen_report (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference      text NOT NULL UNIQUE CHECK (reference ~ '^[A-Za-z0-9_-]{22}$'),  -- of the form it was sent with: sent twice is one
    kind           text NOT NULL,
    language       text NOT NULL,                      -- in which the reporter is answered
    contact        text NOT NULL DEFAULT '' CHECK (length(contact) <= 254),  -- mail address; '' = none, or erased
    wants_mail     boolean NOT NULL DEFAULT false,
    network_key    text NOT NULL DEFAULT '',           -- keyed hashes of whence it came; '' = erased
    device_key     text NOT NULL DEFAULT '',
    text_key       text NOT NULL DEFAULT '',           -- keyed hash of its words, to find repetitions
    contact_key    text NOT NULL DEFAULT '',
    is_proven      boolean NOT NULL DEFAULT false,     -- the sender's machine did some work for it
    parts          int NOT NULL DEFAULT 1,             -- the report itself and what was added to it
    public_reason  text NOT NULL DEFAULT '' CHECK (length(public_reason) <= 500),  -- why not published, for the reporter
    answered_state text NOT NULL DEFAULT '',           -- what the last mail said
    answers        int NOT NULL DEFAULT 0,             -- mails so far
    created_at     timestamptz NOT NULL DEFAULT now(),
    withdrawn_at   timestamptz,
    erased_at      timestamptz                         -- contact, photos and keys are gone
);
-- Usage: how many came from one network, one device, to one address of late; the same words from there.
CREATE INDEX citizen_report_network ON ingest.citizen_report (network_key, created_at) WHERE network_key <> '';
CREATE INDEX citizen_report_device ON ingest.citizen_report (device_key, created_at) WHERE device_key <> '';
CREATE INDEX citizen_report_contact ON ingest.citizen_report (contact_key, created_at) WHERE contact_key <> '';
-- Usage: how many came to the town in the last minute; what is to be erased.
CREATE INDEX citizen_report_created ON ingest.citizen_report (created_at);
-- Usage: whom an answer may be due to.
CREATE INDEX citizen_report_mail ON ingest.citizen_report (id) WHERE wants_mail;

-- Clean pictures only (layers/photos.py): no place, no camera, nothing but pixels.
CREATE TABLE ingest.citizen_photo (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    report_id    bigint NOT NULL REFERENCES ingest.citizen_report,
    media_type   text NOT NULL CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp')),
    sha256       text NOT NULL,
    width        int NOT NULL,
    height       int NOT NULL,
    body         bytea,                                -- NULL: erased
    thumbnail    bytea,
    attachment   bigint REFERENCES gis.attachment ON DELETE SET NULL,  -- what was published of it, covered where need be
    published_by text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (report_id, sha256)                         -- Usage: the photos of a report; the same one is kept once.
);
-- Compressed already.
ALTER TABLE ingest.citizen_photo ALTER body SET STORAGE EXTERNAL, ALTER thumbnail SET STORAGE EXTERNAL;

-- Whom a moderator shut out for a time. A row is never deleted: it is the log.
CREATE TABLE ingest.citizen_block (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sender_key text NOT NULL CHECK (sender_key <> ''),  -- network_key or device_key
    what       text NOT NULL CHECK (what IN ('network', 'device')),
    until_at   timestamptz NOT NULL CHECK (until_at <= blocked_at + interval '31 days'),
    reason     text NOT NULL CHECK (btrim(reason) <> ''),
    blocked_by text NOT NULL DEFAULT gis.current_account(),
    blocked_at timestamptz NOT NULL DEFAULT now(),
    lifted_by  text,
    lifted_at  timestamptz
);
-- Usage: whether a sender is shut out now.
CREATE INDEX citizen_block_sender ON ingest.citizen_block (sender_key, until_at);

------------------------------------------------------------------------------ how it stands with a report

-- The state as the reporter may know it. A member of a merged incident shares the fate of the one that it is part of.
-- (The table of the layer is made after the migrations: a function finds it when it runs.)
CREATE FUNCTION ingest.citizen_report_state(wanted bigint) RETURNS TABLE (state text, incident_fid bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
BEGIN
    RETURN QUERY
    SELECT CASE WHEN c.withdrawn_at IS NOT NULL THEN 'withdrawn'
                WHEN shown.fid IS NULL THEN 'received'
                WHEN shown.publication = 'rejected' OR shown.state = 'cancelled' THEN 'rejected'
                WHEN shown.publication = 'expired' THEN 'closed'
                WHEN shown.publication <> 'published' THEN 'received'
                WHEN shown.state = 'resolved' THEN 'resolved'
                ELSE 'published' END,
           shown.fid::bigint
    FROM ingest.citizen_report c
    LEFT JOIN ingest.report r ON r.source = 'citizen' AND r.source_id = c.reference || ':1'
    LEFT JOIN ingest.merge m ON m.incident_fid = r.incident_fid AND m.undone_at IS NULL
    LEFT JOIN layers.incident shown ON shown.fid = coalesce(m.into_fid, r.incident_fid)
    WHERE c.id = wanted;
END $$;
REVOKE ALL ON FUNCTION ingest.citizen_report_state FROM PUBLIC;

-- One report as its sender may see it: the reference is the key. No contact, no words, nothing of anyone else.
CREATE FUNCTION open.citizen_report(wanted_reference text)
RETURNS TABLE (kind text, language text, state text, public_reason text, incident_fid bigint, created_at timestamptz,
               has_contact boolean, wants_mail boolean, photos bigint, parts int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT c.kind, c.language, s.state, CASE WHEN s.state = 'rejected' THEN c.public_reason ELSE '' END,
           CASE WHEN s.state IN ('published', 'resolved') THEN s.incident_fid END, c.created_at,
           c.contact <> '', c.wants_mail,
           (SELECT count(*) FROM ingest.citizen_photo p WHERE p.report_id = c.id AND p.body IS NOT NULL), c.parts
    FROM ingest.citizen_report c, ingest.citizen_report_state(c.id) s
    WHERE c.reference = wanted_reference
$$;
REVOKE ALL ON FUNCTION open.citizen_report FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open.citizen_report TO citizen;

------------------------------------------------------------------------------ erasure

-- What was published of a photo ends with it: bytes, name and words, in the history too. The fact stays.
CREATE FUNCTION ingest.erase_citizen_attachments(wanted bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    -- Only what came in by a citizen's photo: this is no door to the attachments of the departments.
    wanted := ARRAY(SELECT p.attachment FROM ingest.citizen_photo p WHERE p.attachment = ANY (wanted));
    DELETE FROM gis.attachment_body WHERE attachment = ANY (wanted);
    DELETE FROM gis.attachment_offer WHERE attachment = ANY (wanted);
    UPDATE gis.attachment
    SET name = '', caption = '', sha256 = '', byte_size = 0, width = NULL, height = NULL, taken_at = NULL,
        is_public = false, is_removed = true, is_erased = true
    WHERE id = ANY (wanted) AND NOT is_erased;
    UPDATE gis.attachment_history SET caption = '' WHERE attachment = ANY (wanted);
END $$;
REVOKE ALL ON FUNCTION ingest.erase_citizen_attachments FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest.erase_citizen_attachments TO machimori_service;

------------------------------------------------------------------------------ grants

GRANT SELECT, INSERT, UPDATE ON ingest.citizen_report, ingest.citizen_photo, ingest.citizen_block TO machimori_service;
GRANT EXECUTE ON FUNCTION ingest.citizen_report_state TO machimori_service, dept_disaster;
GRANT SELECT, UPDATE (public_reason) ON ingest.citizen_report TO dept_disaster;
GRANT SELECT, UPDATE (attachment, published_by) ON ingest.citizen_photo TO dept_disaster;
GRANT SELECT, INSERT (sender_key, what, until_at, reason), UPDATE (lifted_by, lifted_at) ON ingest.citizen_block TO dept_disaster;

ALTER TABLE ingest.citizen_report ENABLE ROW LEVEL SECURITY;
CREATE POLICY few_eyes ON ingest.citizen_report USING ((SELECT gis.reads_private()));
ALTER TABLE ingest.citizen_photo ENABLE ROW LEVEL SECURITY;
CREATE POLICY few_eyes ON ingest.citizen_photo USING ((SELECT gis.reads_private()));
ALTER TABLE ingest.citizen_block ENABLE ROW LEVEL SECURITY;
CREATE POLICY few_eyes ON ingest.citizen_block USING ((SELECT gis.reads_private()));
