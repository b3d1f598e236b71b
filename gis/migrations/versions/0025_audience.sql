-- Who gets an alert: areas as places, merged mails of quiet hours, and who subscribes while an alert is running.

------------------------------------------------------------------------------ areas as places

-- An area in metres of the town's plane zone, with points every 0.01 degrees on its edges: an edge is straight in longitude and latitude,
-- as it was drawn, and 100 km of it lie up to 150 m beside the straight line of the plane. What lies beyond the plane's reach is cut off.
CREATE FUNCTION alerts.to_plane(area public.geometry, plane_epsg int) RETURNS public.geometry
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public AS $$
    SELECT ST_Transform(ST_Segmentize(CASE WHEN area @ box THEN area ELSE ST_Intersection(area, box) END, 0.01), plane_epsg)
    FROM (SELECT ST_MakeEnvelope(111, 8, 171, 68, 6668) AS box) reach
$$;

-- An area that people named as their place: one they drew, or a polygon feature of a public layer (町字, school district) by reference,
-- with its shape as of `version`. Everybody who named the same feature shares the row.
CREATE TABLE alerts.zone (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    layer      text,                                   -- NULL: drawn
    fid        bigint,
    version    int,                                    -- of the feature when its shape was taken
    is_gone    boolean NOT NULL DEFAULT false,         -- the feature is no more, or no area any more: the last shape stays
    shape      geometry(MultiPolygon) NOT NULL,        -- in the town's plane zone, metres
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (layer, fid),
    CONSTRAINT zone_is_reference CHECK ((layer IS NULL) = (fid IS NULL) AND (layer IS NULL) = (version IS NULL)),
    CONSTRAINT zone_is_area CHECK (ST_IsValid(shape) AND NOT ST_IsEmpty(shape)),
    -- 50,000 vertices take some 10 ms to compare; 5,000 km² is more than any municipality has.
    CONSTRAINT zone_has_limits CHECK (ST_NPoints(shape) <= 50000 AND ST_Area(shape) <= 5e9)
);
-- Usage: which zones may meet an alert's area.
CREATE INDEX zone_shape ON alerts.zone USING gist (shape);

-- A place is a point with a radius, or a zone; then position and plane are a point inside it, for distances.
ALTER TABLE alerts.place
    ADD COLUMN zone_id bigint REFERENCES alerts.zone,
    ADD CONSTRAINT zone_has_no_radius CHECK (zone_id IS NULL OR radius_m = 0),
    -- Where the plane still serves (alerts.to_plane cuts alerts there).
    ADD CONSTRAINT place_within_reach CHECK (ST_X(position) BETWEEN 111 AND 171 AND ST_Y(position) BETWEEN 8 AND 68);
-- Usage: whose place a zone is.
CREATE INDEX place_zone ON alerts.place (zone_id) WHERE zone_id IS NOT NULL;

-- The places that an area in the plane reaches. Exact, in metres; touching counts as inside. Kept plain, so that it is inlined.
-- Inside is asked first: it is found in a prepared outline; a distance looks at every edge.
CREATE FUNCTION alerts.places_inside(area public.geometry)
RETURNS TABLE (id bigint, subscriber_id bigint, name text, plane public.geometry) LANGUAGE sql STABLE AS $$
    SELECT p.id, p.subscriber_id, p.name, p.plane
    FROM alerts.place p
    WHERE p.zone_id IS NULL AND public.ST_Expand(p.plane, p.radius_m) OPERATOR(public.&&) area
      AND (public.ST_Intersects(area, p.plane) OR p.radius_m > 0 AND public.ST_DWithin(p.plane, area, p.radius_m))
    UNION ALL
    SELECT p.id, p.subscriber_id, p.name, p.plane
    FROM alerts.zone z JOIN alerts.place p ON p.zone_id = z.id
    WHERE z.shape OPERATOR(public.&&) area AND public.ST_Intersects(area, z.shape)
$$;

------------------------------------------------------------------------------ who subscribes while an alert is running

-- Which transaction last changed what somebody is to get. With the snapshot in which an alert's recipients were frozen it tells
-- exactly who was not seen then; times cannot, because a transaction that began before may end after.
ALTER TABLE alerts.subscriber ADD COLUMN changed_xid xid8 NOT NULL DEFAULT pg_current_xact_id();
-- Usage: who changed since an alert's recipients were frozen.
CREATE INDEX subscriber_changed ON alerts.subscriber (changed_xid) WHERE state = 'confirmed';
DROP INDEX alerts.subscriber_updated;

CREATE FUNCTION alerts.note_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    NEW.changed_xid := pg_current_xact_id();
    RETURN NEW;
END $$;
CREATE TRIGGER note_change BEFORE UPDATE OF state, kinds, is_drill ON alerts.subscriber FOR EACH ROW
    WHEN ((OLD.state, OLD.kinds, OLD.is_drill) IS DISTINCT FROM (NEW.state, NEW.kinds, NEW.is_drill))
    EXECUTE FUNCTION alerts.note_change();

CREATE FUNCTION alerts.note_place() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    UPDATE alerts.subscriber s SET changed_xid = pg_current_xact_id()
    FROM new_rows n WHERE s.id = n.subscriber_id AND s.changed_xid <> pg_current_xact_id();
    RETURN NULL;
END $$;
CREATE TRIGGER note_new_place AFTER INSERT ON alerts.place REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION alerts.note_place();
CREATE TRIGGER note_moved_place AFTER UPDATE ON alerts.place REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION alerts.note_place();

CREATE FUNCTION alerts.note_zone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    UPDATE alerts.subscriber s SET changed_xid = pg_current_xact_id()
    FROM alerts.place p WHERE p.zone_id = NEW.id AND s.id = p.subscriber_id AND s.changed_xid <> pg_current_xact_id();
    RETURN NULL;
END $$;
CREATE TRIGGER note_zone AFTER UPDATE OF shape ON alerts.zone FOR EACH ROW EXECUTE FUNCTION alerts.note_zone();

-- What the freezing of an alert's recipients saw; moved on each time that late ones were looked for.
CREATE TABLE alerts.audience (
    alert_id bigint PRIMARY KEY REFERENCES alerts.alert ON DELETE CASCADE,
    seen     pg_snapshot NOT NULL
);

-- Whether a change was not seen. A snapshot from the future is that of another server, before a backup was put back: nothing was seen.
CREATE FUNCTION alerts.is_unseen(changed xid8, seen pg_snapshot) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT NOT pg_visible_in_snapshot(changed, seen) OR pg_snapshot_xmax(seen) > pg_snapshot_xmax(pg_current_snapshot())
$$;

------------------------------------------------------------------------------ quiet hours: one mail in the morning

ALTER TABLE alerts.delivery
    ADD COLUMN reason text NOT NULL DEFAULT '',        -- why it was not sent: cancelled, expired, overtaken, unsubscribed
    ADD COLUMN merged_into bigint REFERENCES alerts.delivery, -- the delivery whose mail, and Message-ID, carries this one
    ADD COLUMN carries int NOT NULL DEFAULT 0;         -- how many others its mail carries
-- Usage: what a mail carries.
CREATE INDEX delivery_merged ON alerts.delivery (merged_into) WHERE merged_into IS NOT NULL;
-- Usage: what waited for the morning and is due.
CREATE INDEX delivery_held ON alerts.delivery (next_attempt_at) WHERE is_held AND state IN ('pending', 'deferred');

-- What becomes of a mail becomes of all it carries, in the same transaction. When it does not go out now, all are on their own
-- again and are put together anew before the next attempt: what was cancelled or is over meanwhile falls out then.
CREATE FUNCTION alerts.carry_merged() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF NEW.state = 'sending' THEN
        UPDATE alerts.delivery SET state = 'sending', sender_id = NEW.sender_id, attempts = attempts + 1
        WHERE merged_into = NEW.id AND state IN ('pending', 'deferred');
    ELSIF NEW.state IN ('accepted', 'bounced', 'failed') THEN
        WITH carried AS (
            UPDATE alerts.delivery SET state = NEW.state, sender_id = NULL, is_held = false, finished_at = NEW.finished_at
            WHERE merged_into = NEW.id AND state IN ('sending', 'accepted') AND state <> NEW.state
            RETURNING id
        )
        INSERT INTO alerts.attempt (delivery_id, started_at, relay, outcome, reply)
        SELECT c.id, coalesce(t.started_at, now()), coalesce(t.relay, ''), NEW.state, coalesce(t.reply, '')
        FROM carried c
        LEFT JOIN LATERAL (SELECT a.started_at, a.relay, a.reply FROM alerts.attempt a
                           WHERE a.delivery_id = NEW.id ORDER BY a.id DESC LIMIT 1) t ON true;
    ELSE
        UPDATE alerts.delivery
        SET state = CASE WHEN state = 'sending' THEN 'pending' ELSE state END, sender_id = NULL, merged_into = NULL, is_held = true,
            next_attempt_at = CASE WHEN NEW.state = 'deferred' THEN NEW.next_attempt_at ELSE clock_timestamp() END
        WHERE merged_into = NEW.id;
        UPDATE alerts.delivery SET carries = 0, is_held = NEW.state IN ('pending', 'deferred') WHERE id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER carry_merged AFTER UPDATE OF state ON alerts.delivery FOR EACH ROW
    WHEN (OLD.carries > 0 AND NEW.state <> OLD.state) EXECUTE FUNCTION alerts.carry_merged();

------------------------------------------------------------------------------ the person's own page

DROP FUNCTION open.subscription;
CREATE FUNCTION open.subscription(wanted_token text)
RETURNS TABLE (masked_email text, language text, kinds text[], state text, place_names text[], quiet_from time, quiet_until time)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT regexp_replace(s.email, '^(.).*(@.*)$', '\1…\2'), s.language, s.kinds, s.state,
           coalesce((SELECT array_agg(p.name ORDER BY p.id) FROM alerts.place p WHERE p.subscriber_id = s.id), '{}'),
           s.quiet_from, s.quiet_until
    FROM alerts.subscriber s WHERE s.token = wanted_token
$$;

-- Set or end (NULL, NULL) the quiet hours of a subscription. True when the token is known and the subscription runs.
CREATE FUNCTION open.set_quiet_hours(wanted_token text, new_from time, new_until time) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    WITH changed AS (
        UPDATE alerts.subscriber SET quiet_from = new_from, quiet_until = new_until
        WHERE token = wanted_token AND state = 'confirmed' RETURNING 1)
    SELECT EXISTS (SELECT FROM changed)
$$;
REVOKE ALL ON FUNCTION open.subscription, open.set_quiet_hours FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open.subscription, open.set_quiet_hours TO citizen;

REVOKE ALL ON FUNCTION alerts.note_change, alerts.note_place, alerts.note_zone, alerts.carry_merged FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON alerts.place, alerts.zone TO machimori_service;
GRANT INSERT, UPDATE ON alerts.subscriber TO machimori_service;
GRANT SELECT, INSERT, UPDATE ON alerts.audience TO machimori_service;
GRANT UPDATE (reason) ON alerts.delivery TO dept_disaster, dept_disaster_viewer;
GRANT SELECT ON alerts.zone TO dept_disaster, dept_disaster_viewer;
GRANT SELECT, INSERT ON alerts.audience TO dept_disaster, dept_disaster_viewer;
