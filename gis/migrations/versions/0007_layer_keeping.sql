-- Layers made and changed at run time by those who may.

-- The definition as the file gave it at the last migration; gis.layer.definition is that with a department's changes
-- laid over it. NULL: a layer made at run time.
ALTER TABLE gis.layer ADD COLUMN shipped jsonb;

-- Every change of a definition: who, when, why, and the statements that followed from it.
CREATE TABLE gis.layer_change (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    layer          text NOT NULL,                      -- no foreign key: what happened stays when the layer is gone
    account        text NOT NULL,
    role_name      text NOT NULL,
    reason         text NOT NULL DEFAULT '',
    changed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    old_definition jsonb,                              -- NULL: the layer was made
    new_definition jsonb,                              -- NULL: it was deleted
    statements     text NOT NULL
);
-- Usage: what became of a layer, the newest first.
CREATE INDEX layer_change_layer ON gis.layer_change (layer, id DESC);
GRANT SELECT ON gis.layer_change TO department, machimori_service;

-- The role that the caller took, also inside functions that run as their owner.
CREATE FUNCTION gis.taken_role() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT coalesce(nullif(nullif(current_setting('role', true), ''), 'none'), session_user::text)
$$;

-- Whether the person behind the statement keeps a layer: layer manager or administrator, in the department that owns it
-- or was granted its management, and at work in that department's role. layer_owner is asked for a layer that is not there yet.
CREATE FUNCTION gis.keeps_layer(layer_name text, layer_owner text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT (gis.account_holds(gis.current_account(), 'layer_manager') OR gis.account_holds(gis.current_account(), 'administrator'))
       AND EXISTS (SELECT FROM gis.department d JOIN gis.account_department a ON a.department = d.name
                   WHERE a.account = gis.current_account()
                     AND gis.taken_role() IN (d.role_name, d.role_name || '_viewer')
                     AND (d.name = layer_owner
                          OR EXISTS (SELECT FROM gis.layer_grant g
                                     WHERE g.layer = layer_name AND g.department = d.name AND g.access = 'manage')))
$$;

-- The one door to a layer's tables and its entry in the catalogue. new_definition NULL deletes the layer, if nothing was
-- ever in it. It runs as machimori_owner what it is given, so what it is given may come from our own code only: from
-- the application's login (a person's own login has any SQL at hand), as a statement that is nothing but this call
-- with bound values (so no expression smuggled into another statement gets here). layers/catalogue.py is the caller.
CREATE FUNCTION gis.change_layer(layer_name text, new_definition jsonb, new_ddl_sha256 text, statements text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    stored   gis.layer;
    has_past boolean;
BEGIN
    SELECT * INTO stored FROM gis.layer WHERE name = layer_name FOR UPDATE;
    IF NOT pg_has_role(gis.taken_role(), 'machimori_owner', 'USAGE') THEN
        IF session_user <> 'machimori_app'
           OR current_query() <> 'SELECT gis.change_layer($1, $2, $3, $4)' THEN
            RAISE EXCEPTION 'layers are changed through the pages or the command line'
                USING ERRCODE = 'insufficient_privilege', HINT = 'See /staff/layers or ./machimori layers attribute.';
        END IF;
        IF NOT gis.keeps_layer(layer_name, coalesce(stored.definition, new_definition) ->> 'owner') THEN
            RAISE EXCEPTION '% as % does not keep the layer %', gis.current_account(), gis.taken_role(), layer_name
                USING ERRCODE = 'insufficient_privilege',
                      HINT = 'It needs the role layer_manager in the department that owns the layer, or its grant to manage.';
        END IF;
        IF stored.name IS NOT NULL AND new_definition ->> 'owner' <> stored.definition ->> 'owner' THEN
            RAISE EXCEPTION 'a layer does not change hands this way' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    IF coalesce(new_definition ->> 'name', layer_name) <> layer_name THEN
        RAISE EXCEPTION 'the definition is of %, not of %', new_definition ->> 'name', layer_name USING ERRCODE = 'check_violation';
    END IF;
    IF new_definition IS NULL THEN
        EXECUTE format('LOCK TABLE layers.%I IN ACCESS EXCLUSIVE MODE', layer_name);
        EXECUTE format('SELECT EXISTS (SELECT FROM history.%I)', layer_name) INTO has_past;
        IF has_past OR stored.shipped IS NOT NULL THEN
            RAISE EXCEPTION 'the layer % has a past', layer_name
                USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'It can be retired: kept, but not shown.';
        END IF;
    END IF;
    EXECUTE statements;
    INSERT INTO gis.layer_change (layer, account, role_name, reason, old_definition, new_definition, statements)
    VALUES (layer_name, gis.current_account(), gis.taken_role(), coalesce(current_setting('machimori.reason', true), ''),
            stored.definition, new_definition, statements);
    IF new_definition IS NULL THEN
        DELETE FROM gis.layer WHERE name = layer_name;
    ELSE
        INSERT INTO gis.layer (name, definition, ddl_sha256) VALUES (layer_name, new_definition, new_ddl_sha256)
        ON CONFLICT (name) DO UPDATE
        SET definition = excluded.definition, ddl_sha256 = excluded.ddl_sha256, updated_at = now();
    END IF;
END $$;
REVOKE ALL ON FUNCTION gis.taken_role, gis.keeps_layer, gis.change_layer FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gis.taken_role, gis.keeps_layer, gis.change_layer TO department;
