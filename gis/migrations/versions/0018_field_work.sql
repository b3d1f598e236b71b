-- Files that went out for work without a network. Every department sees who works where.
CREATE TABLE gis.checkout (
    id            text PRIMARY KEY,                    -- written into the file, too
    role_name     text NOT NULL DEFAULT current_user,  -- as whom it was read
    account       text NOT NULL DEFAULT gis.current_account(),
    layers        text[] NOT NULL,
    feature_count integer NOT NULL,
    taken_at      timestamptz NOT NULL DEFAULT now(),
    due_on        date NOT NULL,                       -- when it should be back
    returned_at   timestamptz                          -- when its work came in last
);
CREATE INDEX checkout_taken_at ON gis.checkout (taken_at DESC);  -- Usage: the list of what is out, newest first.
GRANT SELECT, INSERT (id, layers, feature_count, due_on), UPDATE (returned_at)
    ON gis.checkout TO department, machimori_service;

-- What of a file's changes was taken in or given up: the same file again asks for nothing twice, though others have
-- edited the feature since. The values are the department's own, so nobody else reads them.
CREATE TABLE gis.checked_in_change (
    checkout_id text NOT NULL,
    layer       text NOT NULL,
    fid         bigint NOT NULL,
    version     integer NOT NULL,                      -- of the feature when it was settled
    taken       jsonb NOT NULL,                        -- column of the file → value; geom as WKB in hexadecimal
    role_name   text NOT NULL DEFAULT current_user,
    PRIMARY KEY (checkout_id, layer, fid)              -- Usage: what of a file is settled already.
);
ALTER TABLE gis.checked_in_change ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_department ON gis.checked_in_change TO department
    USING (role_name = current_user) WITH CHECK (role_name = current_user);
GRANT SELECT, INSERT (checkout_id, layer, fid, version, taken), UPDATE (version, taken)
    ON gis.checked_in_change TO department;

-- A file between its upload and the person's last choice; gone when nothing of it waits any more.
CREATE TABLE gis.checkin_file (
    checkout_id text NOT NULL,
    role_name   text NOT NULL DEFAULT current_user,
    account     text NOT NULL DEFAULT gis.current_account(),
    name        text NOT NULL,
    body        bytea NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (checkout_id, role_name)               -- Usage: take the work up again; the newest upload counts.
);
ALTER TABLE gis.checkin_file ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_department ON gis.checkin_file TO department
    USING (role_name = current_user) WITH CHECK (role_name = current_user);
GRANT SELECT, DELETE, INSERT (checkout_id, name, body), UPDATE (name, body, uploaded_at, account)
    ON gis.checkin_file TO department;
