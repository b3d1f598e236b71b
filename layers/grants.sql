-- What departments may do with layers beyond their own.

-- name: store
INSERT INTO gis.layer_grant (layer, department, access, is_personal, area, area_name, granted_by)
VALUES (:layer, :department, :access, :is_personal,
        ST_Multi(ST_SetSRID(ST_GeomFromGeoJSON(CAST(:area AS text)), 6668)), :area_name, :granted_by)
ON CONFLICT (layer, department) DO UPDATE
SET access = excluded.access, is_personal = excluded.is_personal, area = excluded.area, area_name = excluded.area_name,
    granted_by = excluded.granted_by, granted_at = now()

-- name: list
SELECT layer, department, access, is_personal, area IS NOT NULL AS is_limited, area_name, granted_by, granted_at
FROM gis.layer_grant
WHERE CAST(:layer AS text) IS NULL OR layer = :layer
ORDER BY layer, department

-- name: take_back
-- Everything of the departments that do not own the layer; what is granted is given again.
DO $$
DECLARE
    policy record;
BEGIN
    FOR policy IN SELECT policyname FROM pg_policies WHERE schemaname = 'layers' AND tablename = {table_name} LOOP
        EXECUTE format('DROP POLICY %I ON layers.%I', policy.policyname, {table_name});
    END LOOP;
END $$;
ALTER TABLE {layer} DISABLE ROW LEVEL SECURITY;
REVOKE INSERT, UPDATE, DELETE ON {layer} FROM {others};
REVOKE USAGE ON SEQUENCE {sequence} FROM {others};

-- name: take_back_personal
REVOKE ALL ON {personal} FROM {others}, {viewers};

-- name: limit
-- Everybody who may read the table reads all of it; who is not limited writes all of it.
ALTER TABLE {layer} ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON {layer} FOR SELECT USING (true);
CREATE POLICY edit_everywhere ON {layer} TO {unlimited} USING (true) WITH CHECK (true);

-- name: limit_department
-- The subquery is asked once per statement. Both sides count: nothing is taken out of the area nor put outside.
CREATE POLICY {insert_policy} ON {layer} FOR INSERT TO {role} WITH CHECK (ST_CoveredBy(geom, {area}));
CREATE POLICY {update_policy} ON {layer} FOR UPDATE TO {role} USING (ST_CoveredBy(geom, {area})) WITH CHECK (ST_CoveredBy(geom, {area}));
CREATE POLICY {delete_policy} ON {layer} FOR DELETE TO {role} USING (ST_CoveredBy(geom, {area}));
