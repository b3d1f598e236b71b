-- Photos and documents beside features. The rights are those of the layer: its own grants and row policies are asked,
-- never copied. Nothing vanishes: removal is a version; only erasure, a layer manager's act, takes bytes away.

CREATE TABLE gis.attachment (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    layer      text NOT NULL REFERENCES gis.layer ON UPDATE CASCADE ON DELETE CASCADE,
    fid        bigint NOT NULL,
    version    int NOT NULL DEFAULT 1,
    name       text NOT NULL CHECK (length(name) <= 200),  -- what the person called the file; never a path
    media_type text NOT NULL CHECK (media_type IN (
        'image/jpeg', 'image/png', 'image/webp', 'application/pdf',
        'text/csv; charset=utf-8', 'text/csv; charset=shift_jis', 'text/plain; charset=utf-8', 'text/plain; charset=shift_jis',
        'application/vnd.oasis.opendocument.text', 'application/vnd.oasis.opendocument.spreadsheet',
        'application/vnd.oasis.opendocument.presentation', 'application/vnd.oasis.opendocument.graphics',
        'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
        'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
        'application/vnd.openxmlformats-officedocument.presentationml.presentation')),
    byte_size  bigint NOT NULL,
    sha256     text NOT NULL,                              -- of the stored bytes, hexadecimal; '' once erased
    width      int,                                        -- pixels, of pictures
    height     int,
    caption    text NOT NULL DEFAULT '' CHECK (length(caption) <= 500),
    taken_at   timestamptz,                                -- when the camera said so
    is_public  boolean NOT NULL DEFAULT false,
    rank       int NOT NULL DEFAULT 0,                     -- order among those of the feature
    is_removed boolean NOT NULL DEFAULT false,
    is_erased  boolean NOT NULL DEFAULT false,
    added_at   timestamptz NOT NULL DEFAULT now(),
    added_by   text NOT NULL DEFAULT ''
);
-- Usage: what is attached to a feature.
CREATE INDEX attachment_feature ON gis.attachment (layer, fid);

-- Apart, so that lists stay cheap.
CREATE TABLE gis.attachment_body (
    attachment bigint PRIMARY KEY REFERENCES gis.attachment ON DELETE CASCADE,
    body       bytea NOT NULL CHECK (octet_length(body) <= 100000000),
    thumbnail  bytea                                       -- JPEG, of pictures
);
-- All of it is compressed already.
ALTER TABLE gis.attachment_body ALTER body SET STORAGE EXTERNAL, ALTER thumbnail SET STORAGE EXTERNAL;

-- Where the camera said it stood: for the person who attached the picture, until they used or declined it.
CREATE TABLE gis.attachment_offer (
    attachment bigint PRIMARY KEY REFERENCES gis.attachment ON DELETE CASCADE,
    account    text NOT NULL DEFAULT gis.current_account(),
    place      geometry(Point, 6668) NOT NULL
);

CREATE TABLE gis.attachment_history (
    attachment bigint NOT NULL REFERENCES gis.attachment ON DELETE CASCADE,
    version    int NOT NULL,
    operation  text NOT NULL CHECK (operation IN ('add', 'change', 'remove', 'restore', 'erase')),
    changed_at timestamptz NOT NULL,
    changeset  bigint NOT NULL REFERENCES gis.changeset,
    caption    text NOT NULL,
    is_public  boolean NOT NULL,
    rank       int NOT NULL,
    is_removed boolean NOT NULL,
    PRIMARY KEY (attachment, version)                      -- Usage: the life of an attachment; its state before a changeset.
);
-- Usage: what a changeset did.
CREATE INDEX attachment_history_changeset ON gis.attachment_history (changeset);

-- Whether the running role reads what is attached in a layer: as the layer itself, and where that has personal
-- attributes, as those, unless somebody marked the file public.
CREATE FUNCTION gis.may_see_attachment(layer text, is_public boolean) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT coalesce(has_table_privilege(to_regclass(format('layers.%I', layer)), 'SELECT'), false)
           AND (is_public OR to_regclass(format('layers.%I', layer || '_personal')) IS NULL
                OR has_table_privilege(to_regclass(format('layers.%I', layer || '_personal')), 'SELECT'))
$$;

-- Lock a feature that the running role may edit; refuse where it may not, or not there (a row policy hides it).
CREATE FUNCTION gis.hold_feature(layer text, wanted_fid bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    personal regclass := to_regclass(format('layers.%I', layer || '_personal'));
    is_there boolean;
BEGIN
    EXECUTE format('SELECT true FROM layers.%I WHERE fid = $1 FOR NO KEY UPDATE', layer) INTO is_there USING wanted_fid;
    IF is_there IS NULL THEN
        RAISE EXCEPTION 'row-level security or a deletion hides feature % of %', wanted_fid, layer
            USING ERRCODE = 'insufficient_privilege', HINT = 'Attach to features that you may edit.';
    END IF;
    IF personal IS NOT NULL AND NOT has_table_privilege(personal, 'UPDATE') THEN
        RAISE EXCEPTION 'permission denied for the personal attributes of %', layer USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

-- Runs as whoever writes. What comes past the pages was not cleaned: a picture's hidden place, a script called a photo.
CREATE FUNCTION gis.guard_attachment() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF gis.is_person_acting() THEN
        IF TG_OP = 'INSERT' AND session_user <> 'machimori_app' THEN
            RAISE EXCEPTION 'files are attached through the pages, which clean them' USING ERRCODE = 'insufficient_privilege';
        END IF;
        PERFORM gis.hold_feature(NEW.layer, NEW.fid);
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.version := 1;
        NEW.is_removed := false;
        NEW.is_erased := false;
        NEW.added_at := clock_timestamp();
        NEW.added_by := gis.current_account();
    ELSE
        NEW.version := OLD.version + 1;
        IF OLD.is_erased THEN
            RAISE EXCEPTION 'attachment % was erased', OLD.id USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON gis.attachment FOR EACH ROW EXECUTE FUNCTION gis.guard_attachment();

CREATE FUNCTION gis.log_attachment() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO gis.attachment_history (attachment, version, operation, changed_at, changeset, caption, is_public, rank, is_removed)
    VALUES (NEW.id, NEW.version,
            CASE WHEN TG_OP = 'INSERT' THEN 'add' WHEN NEW.is_erased THEN 'erase'
                 WHEN NEW.is_removed AND NOT OLD.is_removed THEN 'remove'
                 WHEN OLD.is_removed AND NOT NEW.is_removed THEN 'restore' ELSE 'change' END,
            clock_timestamp(), gis.current_changeset(), NEW.caption, NEW.is_public, NEW.rank, NEW.is_removed);
    RETURN NULL;
END $$;
CREATE TRIGGER log AFTER INSERT OR UPDATE ON gis.attachment FOR EACH ROW EXECUTE FUNCTION gis.log_attachment();

-- The bytes are those that the list tells of.
CREATE FUNCTION gis.guard_attachment_body() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM gis.attachment a WHERE a.id = NEW.attachment AND a.sha256 = encode(sha256(NEW.body), 'hex')
                   AND a.byte_size = octet_length(NEW.body)) THEN
        RAISE EXCEPTION 'these are not the bytes of attachment %', NEW.attachment USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT ON gis.attachment_body FOR EACH ROW EXECUTE FUNCTION gis.guard_attachment_body();

-- Erasure for privacy: bytes, names and words go, in the history too; the fact stays, with who and why.
CREATE FUNCTION gis.erase_attachment(wanted bigint, why text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    my_role   text := coalesce(nullif(nullif(current_setting('role', true), ''), 'none'), session_user::text);
    my_layer  text;
BEGIN
    SELECT a.layer INTO my_layer FROM gis.attachment a WHERE a.id = wanted FOR UPDATE;
    IF my_layer IS NULL OR NOT (pg_has_role(my_role, 'machimori_owner', 'USAGE') OR
           gis.account_holds(gis.current_account(), 'layer_manager') AND EXISTS (
               SELECT FROM gis.department d JOIN gis.layer l ON l.name = my_layer
               LEFT JOIN gis.layer_grant g ON g.layer = l.name AND g.department = d.name
               WHERE pg_has_role(my_role, d.role_name, 'USAGE')
                     AND (l.definition ->> 'owner' = d.name OR g.access = 'manage'))) THEN
        RAISE EXCEPTION 'only a layer manager of the layer erases attachment %', wanted USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF btrim(coalesce(why, '')) = '' THEN
        RAISE EXCEPTION 'an erasure needs its reason' USING ERRCODE = 'check_violation';
    END IF;
    PERFORM set_config('machimori.reason', why, true);
    DELETE FROM gis.attachment_body WHERE attachment = wanted;
    DELETE FROM gis.attachment_offer WHERE attachment = wanted;
    UPDATE gis.attachment
    SET name = '', caption = '', sha256 = '', byte_size = 0, width = NULL, height = NULL, taken_at = NULL,
        is_public = false, is_removed = true, is_erased = true
    WHERE id = wanted;
    UPDATE gis.attachment_history SET caption = '' WHERE attachment = wanted;
END $$;

-- What citizens see: files marked public, of features that they see.
CREATE FUNCTION gis.is_open_feature(layer text, wanted_fid bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    is_there boolean;
BEGIN
    IF to_regclass(format('open.%I', layer)) IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM open.%I WHERE fid = $1)', layer) INTO is_there USING wanted_fid;
    RETURN is_there;
END $$;

-- No file name (people write names into them), no time, nobody's account.
CREATE VIEW open.attachment WITH (security_barrier) AS
SELECT id, layer, fid, media_type, byte_size, sha256, width, height, caption, rank
FROM gis.attachment
WHERE is_public AND NOT is_removed AND gis.is_open_feature(layer, fid);
CREATE VIEW open.attachment_body WITH (security_barrier) AS
SELECT b.attachment, b.body, b.thumbnail FROM gis.attachment_body b JOIN open.attachment a ON a.id = b.attachment;

ALTER TABLE gis.attachment ENABLE ROW LEVEL SECURITY;
ALTER TABLE gis.attachment_body ENABLE ROW LEVEL SECURITY;
ALTER TABLE gis.attachment_offer ENABLE ROW LEVEL SECURITY;
ALTER TABLE gis.attachment_history ENABLE ROW LEVEL SECURITY;
-- Writing is held by the guard, which asks the layer.
CREATE POLICY as_the_layer ON gis.attachment TO department
    USING (gis.may_see_attachment(layer, is_public)) WITH CHECK (gis.may_see_attachment(layer, is_public));
CREATE POLICY as_the_attachment ON gis.attachment_body TO department
    USING (EXISTS (SELECT FROM gis.attachment a WHERE a.id = attachment));
CREATE POLICY as_the_attachment ON gis.attachment_history TO department
    USING (EXISTS (SELECT FROM gis.attachment a WHERE a.id = attachment));
CREATE POLICY own ON gis.attachment_offer TO department
    USING (account = gis.current_account() AND EXISTS (SELECT FROM gis.attachment a WHERE a.id = attachment));

GRANT SELECT, INSERT, UPDATE (caption, is_public, rank, is_removed) ON gis.attachment TO department;
GRANT SELECT, INSERT ON gis.attachment_body TO department;
GRANT SELECT, INSERT, DELETE ON gis.attachment_offer TO department;
GRANT SELECT ON gis.attachment_history TO department;
GRANT SELECT ON open.attachment, open.attachment_body TO citizen, machimori_service, department;
REVOKE ALL ON FUNCTION gis.may_see_attachment, gis.hold_feature, gis.guard_attachment, gis.log_attachment,
    gis.guard_attachment_body, gis.erase_attachment, gis.is_open_feature FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gis.may_see_attachment, gis.hold_feature, gis.erase_attachment TO department;
GRANT EXECUTE ON FUNCTION gis.is_open_feature TO citizen, machimori_service, department;
