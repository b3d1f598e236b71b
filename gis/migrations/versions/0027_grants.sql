-- Rights in layers given and taken back by who keeps them, under the database's eyes.

-- Every right that was given, changed or taken back: who, when, why.
CREATE TABLE gis.layer_grant_change (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    layer       text NOT NULL,                         -- no foreign key: what happened stays when the layer is gone
    department  text NOT NULL REFERENCES gis.department,
    access      text CHECK (access IN ('see', 'edit', 'manage')),  -- NULL: taken back
    is_personal boolean NOT NULL,
    area        geometry(MultiPolygon, 6668),
    area_name   text NOT NULL,
    account     text NOT NULL,
    role_name   text NOT NULL,
    reason      text NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Usage: what became of the rights in a layer, the newest first.
CREATE INDEX layer_grant_change_layer ON gis.layer_grant_change (layer, id DESC);
GRANT SELECT ON gis.layer_grant_change TO department, machimori_service;

-- Whether the person behind the statement gives and takes back rights in a layer: a layer manager of the department that
-- owns it, or an administrator (who puts people into departments, so this adds nothing), at work in an own department.
-- A department that was granted the management of a layer manages it, but does not hand rights on.
CREATE FUNCTION gis.keeps_grants(layer_name text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (
        SELECT FROM gis.layer l, gis.account_department a JOIN gis.department d ON d.name = a.department
        WHERE l.name = layer_name AND a.account = gis.current_account()
          AND gis.taken_role() IN (d.role_name, d.role_name || '_viewer')
          AND (gis.account_holds(a.account, 'administrator')
               OR d.name = l.definition ->> 'owner' AND gis.account_holds(a.account, 'layer_manager')))
$$;

-- Make grants and row policies of a layer's tables agree with gis.layer_grant: everything of the departments that do not
-- own it is taken back, and what is granted is given again. Runs as machimori_owner. Changes of one layer wait for each other.
CREATE FUNCTION gis.apply_layer_grants(layer_name text, layer_owner text, is_deletable boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    layer_table text := format('layers.%I', layer_name);
    personal    text := format('layers.%I', layer_name || '_personal');
    has_personal boolean := to_regclass(personal) IS NOT NULL;
    sequence    text := format('layers.%I', layer_name || '_fid_seq');
    verbs       text := CASE WHEN is_deletable THEN 'INSERT, UPDATE, DELETE' ELSE 'INSERT, UPDATE' END;
    unlimited   text := format('machimori_service, %I', (SELECT role_name FROM gis.department WHERE name = layer_owner));
    covered     text;
    old_policy  name;
    other       record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('machimori.layer.' || layer_name));
    FOR old_policy IN SELECT policyname FROM pg_policies WHERE schemaname = 'layers' AND tablename = layer_name LOOP
        EXECUTE format('DROP POLICY %I ON %s', old_policy, layer_table);
    END LOOP;
    IF (SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass(layer_table)) THEN
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', layer_table);
    END IF;
    FOR other IN SELECT d.role_name, d.role_name || '_viewer' AS viewer, g.access, coalesce(g.is_personal, false) AS is_personal,
                        g.area IS NOT NULL AS is_limited
                 FROM gis.department d LEFT JOIN gis.layer_grant g ON g.layer = layer_name AND g.department = d.name
                 WHERE d.name <> layer_owner ORDER BY d.name LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %I, %I', layer_table, other.role_name, other.viewer);
        EXECUTE format('REVOKE ALL ON SEQUENCE %s FROM %I, %I', sequence, other.role_name, other.viewer);
        IF has_personal THEN
            EXECUTE format('REVOKE ALL ON %s FROM %I, %I', personal, other.role_name, other.viewer);
        END IF;
        IF other.access IN ('edit', 'manage') THEN
            EXECUTE format('GRANT %s ON %s TO %I', verbs, layer_table, other.role_name);
            EXECUTE format('GRANT USAGE ON SEQUENCE %s TO %I', sequence, other.role_name);
        END IF;
        IF other.is_personal AND has_personal THEN
            EXECUTE format('GRANT SELECT ON %s TO %I', personal, other.viewer);
            IF other.access <> 'see' THEN
                EXECUTE format('GRANT %s ON %s TO %I', verbs, personal, other.role_name);
            END IF;
        END IF;
        IF NOT other.is_limited THEN
            unlimited := unlimited || format(', %I', other.role_name);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM gis.layer_grant WHERE layer = layer_name AND area IS NOT NULL) THEN
        RETURN;
    END IF;
    -- Everybody who may read the table reads all of it; who is not limited writes all of it.
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', layer_table);
    EXECUTE format('CREATE POLICY see ON %s FOR SELECT USING (true)', layer_table);
    EXECUTE format('CREATE POLICY edit_everywhere ON %s TO %s USING (true) WITH CHECK (true)', layer_table, unlimited);
    FOR other IN SELECT d.name, d.role_name FROM gis.layer_grant g JOIN gis.department d ON d.name = g.department
                 WHERE g.layer = layer_name AND g.area IS NOT NULL ORDER BY d.name LOOP
        -- The subquery is asked once per statement. Both sides count: nothing is taken out of the area nor put outside.
        covered := format('(ST_CoveredBy(geom, (SELECT g.area FROM gis.layer_grant g WHERE g.layer = %L AND g.department = %L)))',
                          layer_name, other.name);
        EXECUTE format('CREATE POLICY %I ON %s FOR INSERT TO %I WITH CHECK %s', 'insert_' || other.name, layer_table, other.role_name, covered);
        EXECUTE format('CREATE POLICY %I ON %s FOR UPDATE TO %I USING %s WITH CHECK %s', 'update_' || other.name, layer_table, other.role_name, covered, covered);
        EXECUTE format('CREATE POLICY %I ON %s FOR DELETE TO %I USING %s', 'delete_' || other.name, layer_table, other.role_name, covered);
    END LOOP;
END $$;

-- The one door to gis.layer_grant. It takes facts, not statements, so it may stand open to every login: it asks itself who
-- is there. wanted_access NULL takes back. seen is when the right that the caller saw was given, '-infinity' for none,
-- NULL for whatever there is: who saw something else than there is now is refused.
CREATE FUNCTION gis.grant_layer(wanted_layer text, wanted_department text, wanted_access text, wanted_personal boolean,
                                wanted_area geometry, wanted_area_name text, seen timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    stored   gis.layer;
    present  gis.layer_grant;
    is_owner boolean := pg_has_role(gis.taken_role(), 'machimori_owner', 'USAGE');
    person   text := gis.current_account();
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('machimori.layer.' || wanted_layer));
    SELECT * INTO stored FROM gis.layer WHERE name = wanted_layer;
    IF stored.name IS NULL THEN
        RAISE EXCEPTION 'there is no layer %', wanted_layer USING ERRCODE = 'no_data_found';
    END IF;
    IF NOT is_owner AND NOT gis.keeps_grants(wanted_layer) THEN
        RAISE EXCEPTION '% as % gives no rights in the layer %', person, gis.taken_role(), wanted_layer
            USING ERRCODE = 'insufficient_privilege', HINT = 'It needs the role layer_manager in the department that owns the layer.';
    END IF;
    IF is_owner THEN
        -- From the command line the program says who is there.
        person := coalesce(nullif(current_setting('machimori.account', true), ''), person);
    END IF;
    SELECT * INTO present FROM gis.layer_grant WHERE layer = wanted_layer AND department = wanted_department;
    IF coalesce(present.granted_at, '-infinity') <> seen THEN
        RAISE EXCEPTION 'somebody changed the rights of % in % meanwhile', wanted_department, wanted_layer
            USING ERRCODE = 'serialization_failure';
    END IF;
    IF wanted_department = stored.definition ->> 'owner' THEN
        RAISE EXCEPTION '% owns the layer %', wanted_department, wanted_layer USING ERRCODE = 'check_violation';
    END IF;
    IF wanted_personal AND to_regclass(format('layers.%I', wanted_layer || '_personal')) IS NULL
       OR wanted_access = 'see' AND NOT wanted_personal
       OR wanted_area IS NOT NULL AND NOT ST_IsValid(wanted_area) THEN
        RAISE EXCEPTION 'this right means nothing in the layer %', wanted_layer USING ERRCODE = 'check_violation';
    END IF;
    IF wanted_access IS NULL THEN
        IF present.layer IS NULL THEN
            RAISE EXCEPTION '% was granted nothing in %', wanted_department, wanted_layer USING ERRCODE = 'no_data_found';
        END IF;
        DELETE FROM gis.layer_grant WHERE layer = wanted_layer AND department = wanted_department;
    ELSE
        INSERT INTO gis.layer_grant (layer, department, access, is_personal, area, area_name, granted_by, granted_at)
        VALUES (wanted_layer, wanted_department, wanted_access, wanted_personal, ST_Multi(wanted_area), wanted_area_name,
                person, clock_timestamp())
        ON CONFLICT (layer, department) DO UPDATE
        SET access = excluded.access, is_personal = excluded.is_personal, area = excluded.area,
            area_name = excluded.area_name, granted_by = excluded.granted_by, granted_at = excluded.granted_at;
    END IF;
    INSERT INTO gis.layer_grant_change (layer, department, access, is_personal, area, area_name, account, role_name, reason)
    VALUES (wanted_layer, wanted_department, wanted_access, wanted_personal, ST_Multi(wanted_area), wanted_area_name,
            person, gis.taken_role(), coalesce(current_setting('machimori.reason', true), ''));
    PERFORM gis.apply_layer_grants(wanted_layer, stored.definition ->> 'owner',
                                   coalesce((stored.definition ->> 'is_deletable')::boolean, true));
END $$;
REVOKE ALL ON FUNCTION gis.keeps_grants, gis.apply_layer_grants, gis.grant_layer FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gis.keeps_grants, gis.grant_layer TO department;

-- Upkeep forgets files that came back and waited too long; it reads no more of them than whose they are.
CREATE POLICY upkeep ON gis.checkin_file TO machimori_service USING (true);
GRANT SELECT (checkout_id, account, name, uploaded_at), DELETE ON gis.checkin_file TO machimori_service;
-- Usage: what upkeep may forget.
CREATE INDEX checkin_file_age ON gis.checkin_file (uploaded_at);
