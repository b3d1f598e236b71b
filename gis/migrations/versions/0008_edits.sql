-- Edits sent twice count once; values that came together by themselves stay told.

-- What was answered to a save, under the key that the sender made: sent again, it gets the same answer and changes nothing.
CREATE TABLE gis.saved_edit (
    account    text NOT NULL,
    key        text NOT NULL CHECK (key ~ '^[A-Za-z0-9_-]{16,64}$'),
    asked      text NOT NULL,                          -- SHA-256 of what was sent, hexadecimal
    changeset  bigint,                                 -- NULL: all was so already
    answer     text NOT NULL,                          -- JSON: numbers and names of columns, no values
    saved_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, key)                         -- Usage: whether this save was answered already.
);
-- Usage: what upkeep may forget.
CREATE INDEX saved_edit_age ON gis.saved_edit (saved_at);
ALTER TABLE gis.saved_edit ENABLE ROW LEVEL SECURITY;
-- A role is shared by a department: the person behind it sees the own saves only.
CREATE POLICY own ON gis.saved_edit TO department
    USING (account = gis.current_account()) WITH CHECK (account = gis.current_account());
CREATE POLICY upkeep ON gis.saved_edit TO machimori_service USING (true);
GRANT SELECT, INSERT ON gis.saved_edit TO department;
GRANT SELECT, DELETE ON gis.saved_edit TO machimori_service;

-- A change that saw an older version and did not collide with what others had done meanwhile.
CREATE TABLE gis.merged_edit (
    changeset      bigint NOT NULL REFERENCES gis.changeset,
    layer          text NOT NULL,
    fid            bigint NOT NULL,
    base_version   int NOT NULL,                       -- what the person saw
    theirs_version int NOT NULL,                       -- what it was by then
    theirs         text[] NOT NULL,                    -- columns that keep what others had written since
    mine           text[] NOT NULL,                    -- columns that this changeset set
    PRIMARY KEY (changeset, layer, fid)                -- Usage: what came together in a changeset.
);
-- Usage: what came together in the life of a feature.
CREATE INDEX merged_edit_feature ON gis.merged_edit (layer, fid);
ALTER TABLE gis.merged_edit ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody_reads ON gis.merged_edit FOR SELECT USING (true);
-- Only of the running transaction: nobody writes into the story of another changeset.
CREATE POLICY own_changeset ON gis.merged_edit FOR INSERT WITH CHECK (changeset = gis.current_changeset());
GRANT SELECT, INSERT ON gis.merged_edit TO department, machimori_service;
