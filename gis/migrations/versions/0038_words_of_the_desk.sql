-- Words of moderators may speak of persons: few read them, and they end as the incident's own words do.

-- A merge is undone, never rewritten; what it says in words may be blanked all the same (retention of the incident).
CREATE OR REPLACE FUNCTION ingest.guard_merge() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.incident_fid, NEW.into_fid, NEW.score, NEW.decided_by, NEW.decided_at)
               IS DISTINCT FROM (OLD.incident_fid, OLD.into_fid, OLD.score, OLD.decided_by, OLD.decided_at)
           OR OLD.undone_at IS NOT NULL
              AND ((NEW.undone_at, NEW.undone_by, NEW.publication_before) IS DISTINCT FROM (OLD.undone_at, OLD.undone_by, OLD.publication_before)
                   OR NEW.reasons NOT IN (OLD.reasons, '[]') OR NEW.reason NOT IN (OLD.reason, '')
                   OR NEW.undo_reason NOT IN (OLD.undo_reason, '')) THEN
            RAISE EXCEPTION 'a merge is undone, never rewritten' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF OLD.undone_at IS NULL THEN
            NEW.undone_by := CASE WHEN NEW.undone_at IS NOT NULL THEN gis.current_account() END;
        END IF;
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

-- What must not be erased: an incident that is held, and what was joined into it.
CREATE VIEW ingest.held_incident AS
SELECT incident_fid, held_reason FROM ingest.retention WHERE held_at IS NOT NULL
UNION
SELECT m.incident_fid, h.held_reason FROM ingest.merge m JOIN ingest.retention h ON h.incident_fid = m.into_fid
WHERE m.undone_at IS NULL AND h.held_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM ingest.retention own WHERE own.incident_fid = m.incident_fid AND own.held_at IS NOT NULL);
GRANT SELECT ON ingest.held_incident TO machimori_service;

-- Why somebody decided, and their own words while they are not public, are for moderators.
ALTER TABLE ingest.moderation ENABLE ROW LEVEL SECURITY;
CREATE POLICY few_eyes ON ingest.moderation USING ((SELECT gis.reads_private()));

-- Why two were joined or split stands in the book of the desk; the merge itself every viewer of the office reads.
UPDATE ingest.merge SET reason = '', undo_reason = CASE WHEN undone_by IN ('machimori_service', 'matching') THEN undo_reason ELSE '' END
WHERE reason <> '' OR undo_reason <> '';
-- Why a moderator did something stood in the changeset, too, which every department reads.
UPDATE gis.changeset c SET reason = '' WHERE c.reason <> ''
   AND EXISTS (SELECT FROM ingest.moderation_step s WHERE s.account = c.account AND s.reason = c.reason);
-- Why somebody asked for an erasure or a hold stands in the log of those, for the disaster office.
UPDATE gis.changeset c SET reason = 'retention: request' WHERE c.reason <> ''
   AND EXISTS (SELECT FROM ingest.erasure e WHERE e.account = c.account AND e.reason = c.reason);

-- A document that speaks of persons is private whoever sent it (ingest/processing.py marks it since).
UPDATE ingest.document d SET is_private = true
WHERE NOT d.is_private AND EXISTS (SELECT FROM ingest.report r JOIN ingest.report_private p ON p.report_id = r.id WHERE r.document_id = d.id);

-- Incidents of before there was `occurred_precision` told midnight where nobody knew the hour: what their reports say of
-- it counts, else a midnight about persons is a day, and a time that no report gave is none.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM information_schema.columns
                   WHERE (table_schema, table_name, column_name) = ('layers', 'incident', 'occurred_precision')) THEN
        RETURN;
    END IF;
    PERFORM set_config('machimori.reason', 'the hour is told only where it is known', true);
    EXECUTE $update$
        UPDATE layers.incident i SET occurred_precision = found.precision
        FROM (SELECT o.fid,
                     CASE WHEN said.has_time AND said.time_precision IS NOT NULL THEN nullif(said.time_precision, 'minute')
                          WHEN o.occurred_at IS NULL AND said.time_precision IS NOT NULL THEN 'year'  -- a table of the police
                          WHEN o.is_personal AND NOT said.has_time THEN 'unknown'
                          WHEN o.is_personal AND (o.occurred_at AT TIME ZONE 'Asia/Tokyo')::time = '00:00' THEN 'day' END AS precision
              FROM layers.incident o
              CROSS JOIN LATERAL (
                  SELECT (array_agg(r.facts ->> 'time_precision' ORDER BY r.reported_at DESC, r.id DESC)
                              FILTER (WHERE r.facts ? 'time_precision'))[1] AS time_precision,
                         coalesce(bool_or(r.facts ->> 'occurred_at' IS NOT NULL), false) AS has_time
                  FROM ingest.report r WHERE r.incident_fid = o.fid) said
              WHERE o.occurred_precision IS NULL) found
        WHERE i.fid = found.fid AND found.precision IS NOT NULL
    $update$;
END $$;

-- All statistics are suppressed anew: five in five quarters could be had from their sum (ingest/suppression.py).
DELETE FROM ingest.statistic_year;
