-- The second person is told that something waits: a message that somebody submitted, a standing approval that somebody proposed.

ALTER TABLE alerts.notice
    ALTER COLUMN alert_id DROP NOT NULL,
    ADD COLUMN standing_id bigint REFERENCES alerts.standing_approval UNIQUE, -- Usage: a proposal is told once.
    DROP CONSTRAINT notice_kind_check,
    ADD CONSTRAINT notice_kind_check CHECK (kind IN ('override', 'waiting', 'submitted', 'proposed')),
    ADD CONSTRAINT notice_of_one CHECK ((kind = 'proposed') = (standing_id IS NOT NULL) AND (standing_id IS NULL) <> (alert_id IS NULL));

-- Whichever way a person submits; what telegrams submit bears the name of a source and is approved at once. Taken back and
-- submitted again, it is told again.
CREATE FUNCTION alerts.note_submission() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO alerts.notice (alert_id, kind) VALUES (NEW.id, 'submitted')
    ON CONFLICT (alert_id, kind) DO UPDATE SET created_at = now(), mailed_at = NULL, addresses = 0;
    RETURN NULL;
END $$;
CREATE TRIGGER note_submission AFTER UPDATE ON alerts.alert FOR EACH ROW
    WHEN (OLD.state = 'draft' AND NEW.state = 'submitted' AND NEW.submitted_by NOT LIKE '%:%') EXECUTE FUNCTION alerts.note_submission();

CREATE FUNCTION alerts.note_proposal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO alerts.notice (standing_id, kind) VALUES (NEW.id, 'proposed');
    RETURN NULL;
END $$;
CREATE TRIGGER note_proposal AFTER INSERT ON alerts.standing_approval FOR EACH ROW
    WHEN (NEW.approved_by IS NULL) EXECUTE FUNCTION alerts.note_proposal();
REVOKE ALL ON FUNCTION alerts.note_submission, alerts.note_proposal FROM PUBLIC;
