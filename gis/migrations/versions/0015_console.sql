-- The alert console: messages that people write, and what the database holds to before two of them send one.

ALTER TABLE alerts.alert
    ADD COLUMN is_written boolean NOT NULL DEFAULT false,    -- a person's own words; no telegram writes them over
    ADD COLUMN onset_at timestamptz,                         -- CAP onset, when a person named one
    ADD COLUMN about_incident bigint,                        -- the incident it was started from; not of its thread
    ADD COLUMN area_recipe jsonb NOT NULL DEFAULT '[]',      -- the pieces that the area was put together from, in order
    ADD COLUMN area_confirmed_by text NOT NULL DEFAULT '',   -- who said that a doubtful area is meant
    ADD COLUMN area_doubts text[] NOT NULL DEFAULT '{}';     -- crosses_itself, empty, outside: what was doubtful
-- Usage: the list of messages at the desk, newest first.
CREATE INDEX alert_newest ON alerts.alert (created_at DESC, id DESC);

-- Nothing is handed over with a blank, without an area, or with a doubt that nobody answered;
-- nothing is approved whose end is past.
CREATE FUNCTION alerts.guard_submission() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF NEW.state = 'submitted' AND OLD.state = 'draft' THEN
        IF EXISTS (SELECT FROM alerts.alert_text t WHERE t.alert_id = NEW.id
                   AND concat(t.event, t.headline, t.description, t.instruction) ~ '\{\{|\}\}') THEN
            RAISE EXCEPTION 'alert %: a blank is not filled', NEW.id USING ERRCODE = 'check_violation';
        END IF;
        IF ST_IsEmpty(NEW.area) THEN
            RAISE EXCEPTION 'alert %: it has no area', NEW.id USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.area_name = '' THEN
            RAISE EXCEPTION 'alert %: its area has no name', NEW.id USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.area_doubts <> '{}' AND NEW.area_confirmed_by = '' THEN
            RAISE EXCEPTION 'alert %: nobody has confirmed its area', NEW.id USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.is_written AND (SELECT count(*) FROM alerts.alert_text t WHERE t.alert_id = NEW.id
                               AND t.headline <> '' AND t.description <> '') < 3 THEN
            RAISE EXCEPTION 'alert %: words are missing in a language', NEW.id USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF NEW.state = 'approved' AND OLD.state = 'submitted' AND NEW.expires_at <= clock_timestamp() THEN
        RAISE EXCEPTION 'alert %: its end is past', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    -- What the second person reads is what was submitted: to change it, it becomes a draft again.
    IF OLD.state = 'submitted' AND NEW.state IN ('submitted', 'approved') AND (NOT NEW.area ~= OLD.area OR
       (NEW.level, NEW.event, NEW.kind, NEW.msg_type, NEW.phase, NEW.area_name, NEW.references_id, NEW.onset_at) IS DISTINCT FROM
       (OLD.level, OLD.event, OLD.kind, OLD.msg_type, OLD.phase, OLD.area_name, OLD.references_id, OLD.onset_at)) THEN
        RAISE EXCEPTION 'alert %: what was submitted is changed only as a draft', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_submission BEFORE UPDATE ON alerts.alert FOR EACH ROW EXECUTE FUNCTION alerts.guard_submission();

CREATE FUNCTION alerts.guard_submitted_text() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM FROM alerts.alert WHERE id = coalesce(OLD.alert_id, NEW.alert_id) AND state = 'submitted' FOR SHARE;
    IF FOUND THEN
        RAISE EXCEPTION 'alert %: submitted text is changed only as a draft', coalesce(OLD.alert_id, NEW.alert_id)
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER guard_submitted_text BEFORE INSERT OR UPDATE OR DELETE ON alerts.alert_text
    FOR EACH ROW EXECUTE FUNCTION alerts.guard_submitted_text();
REVOKE ALL ON FUNCTION alerts.guard_submission, alerts.guard_submitted_text FROM PUBLIC;

-- As before (0013), with when the message begins to hold. A message begun from an incident that is no longer public is
-- not public either. Who wrote it, and how its area came about, stay inside.
CREATE OR REPLACE VIEW open.alert AS
SELECT id, identifier, coalesce(thread_id, id) AS thread_id, references_id, incident_fid, kind, cap_status, msg_type, phase, level,
       event, urgency, severity, certainty, area_name, area_code, area AS geom, state, effective_at, sent_at, expires_at, facts,
       onset_at
FROM alerts.alert a
WHERE state IN ('approved', 'sending', 'sent', 'updated', 'cancelled', 'expired')
  AND NOT EXISTS (SELECT FROM ingest.retention r
                  WHERE r.incident_fid IN (a.incident_fid, a.about_incident) AND r.expired_at IS NOT NULL);
