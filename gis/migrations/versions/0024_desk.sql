-- What the moderation desk and the statistics of the staff need.

------------------------------------------------------------------------------ one door to what the public reads

-- Whether a person comes through the desk: by the application, in a transaction that its checks have begun
-- (ingest/desk_door.py). A login of one's own (psql, QGIS) never does, whatever it sets.
CREATE FUNCTION gis.is_at_desk() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT session_user = 'machimori_app' AND current_setting('machimori.desk', true) IS NOT DISTINCT FROM 'on'
$$;
REVOKE ALL ON FUNCTION gis.is_at_desk FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gis.is_at_desk TO department;

-- Of what moderators decide about: the role alone is not enough. Text, area and publication are checked where the
-- rules stand, so every other door (editor, OGC API, file, QGIS, psql) is shut for them.
CREATE OR REPLACE FUNCTION gis.guard_writer_role() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NOT gis.is_person_acting() THEN
        RETURN NULL;
    END IF;
    IF NOT gis.account_holds(gis.current_account(), TG_ARGV[0]) THEN
        RAISE EXCEPTION '% may not write %.%', gis.current_account(), TG_TABLE_SCHEMA, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege', HINT = 'It needs the role ' || TG_ARGV[0] || '.';
    END IF;
    IF TG_ARGV[0] = 'moderator' AND TG_TABLE_NAME NOT IN ('incident_note', 'desk_claim') AND NOT gis.is_at_desk() THEN
        RAISE EXCEPTION '%.% is written at the moderation desk only', TG_TABLE_SCHEMA, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege', HINT = 'Open it on the page /staff/incidents.';
    END IF;
    RETURN NULL;
END $$;

------------------------------------------------------------------------------ an area that gives nobody away

-- How many households have their address in an area.
CREATE FUNCTION ingest.households_within(area public.geometry) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    RETURN (SELECT coalesce(sum(households), 0) FROM layers.address WHERE ST_Covers(area, geom));
END $$;
REVOKE ALL ON FUNCTION ingest.households_within FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest.households_within TO machimori_service, dept_disaster, dept_disaster_viewer;

-- Of persons: what the reports gave (ingest/privacy.py chose it) or more, else eight households at least, as there.
-- No override reaches below that.
CREATE FUNCTION ingest.guard_area() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF NEW.area IS NULL OR NOT gis.is_person_acting()
       OR NOT coalesce((SELECT is_personal FROM layers.incident WHERE fid = NEW.incident_fid), true)
       OR coalesce(ST_Covers(ST_Buffer(NEW.area, 0.000001), NEW.said_area), false) THEN
        RETURN NEW;
    END IF;
    IF ingest.households_within(NEW.area) < 8 THEN
        RAISE EXCEPTION 'the area of incident % holds fewer than eight households', NEW.incident_fid
            USING ERRCODE = 'check_violation', CONSTRAINT = 'area_of_eight_households';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_area BEFORE INSERT OR UPDATE OF area ON ingest.moderation
    FOR EACH ROW EXECUTE FUNCTION ingest.guard_area();

-- Who turns something down says why. (No constraint: retention blanks the reason one day.)
CREATE FUNCTION ingest.guard_reason() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'a rejection needs a reason' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER guard_reason BEFORE INSERT ON ingest.moderation_step
    FOR EACH ROW WHEN (NEW.act = 'rejected' AND btrim(NEW.reason) = '') EXECUTE FUNCTION ingest.guard_reason();

------------------------------------------------------------------------------ statistics

-- By source, too.
ALTER TABLE ingest.statistic DROP CONSTRAINT statistic_dimension_check;
ALTER TABLE ingest.statistic ADD CONSTRAINT statistic_dimension_check
    CHECK (dimension IN ('total', 'category', 'quarter', 'mesh', 'month', 'weekday', 'hour', 'source'));

-- Whole numbers, also those that tell of few: for moderators of the disaster office and for administrators.
REVOKE SELECT ON ingest.statistic FROM dept_disaster, dept_disaster_viewer;
CREATE FUNCTION gis.reads_all_statistics() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT FROM gis.account a WHERE a.name = gis.current_account()
                   AND (gis.account_holds(a.name, 'administrator')
                        OR a.department = 'disaster' AND gis.account_holds(a.name, 'moderator')))
$$;

CREATE FUNCTION gis.all_statistics(wanted_kind text, wanted_year int)
RETURNS TABLE (year int, kind text, dimension text, value text, count bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT s.year, s.kind, s.dimension, s.value, s.count FROM ingest.statistic s
    WHERE gis.reads_all_statistics() AND s.kind = wanted_kind AND s.year = wanted_year
$$;

-- How long incidents of a year that a moderator published had waited since they arrived, by kind, in minutes.
CREATE FUNCTION gis.response_times(wanted_year int)
RETURNS TABLE (kind text, incidents bigint, median_minutes double precision, p90_minutes double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    RETURN QUERY
    SELECT i.kind, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY waited.minutes),
           percentile_cont(0.9) WITHIN GROUP (ORDER BY waited.minutes)
    FROM (SELECT s.incident_fid, min(s.done_at) AS at FROM ingest.moderation_step s WHERE s.act = 'published' GROUP BY 1) first
    JOIN layers.incident i ON i.fid = first.incident_fid
    CROSS JOIN LATERAL (SELECT extract(epoch FROM first.at - i.created_at)::double precision / 60 AS minutes) waited
    WHERE gis.reads_all_statistics() AND i.status = 'Actual'
      AND extract(year FROM i.created_at AT TIME ZONE 'Asia/Tokyo') = wanted_year
    GROUP BY i.kind ORDER BY i.kind;
END $$;

-- What waits for a decision now, by kind, and since when.
CREATE FUNCTION gis.waiting_incidents() RETURNS TABLE (kind text, incidents bigint, oldest_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    RETURN QUERY
    SELECT i.kind, count(*), min(i.created_at) FROM layers.incident i
    WHERE gis.reads_all_statistics() AND (i.publication = 'pending' OR i.needs_review) AND i.publication <> 'merged'
    GROUP BY i.kind ORDER BY i.kind;
END $$;
REVOKE ALL ON FUNCTION gis.reads_all_statistics, gis.all_statistics, gis.response_times, gis.waiting_incidents FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gis.reads_all_statistics, gis.all_statistics, gis.response_times, gis.waiting_incidents TO department;
