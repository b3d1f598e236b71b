-- What departments may do with layers beyond what the definition gives the owner.
-- layers/grants.py turns the rows into GRANTs and row policies; a row alone gives nothing.
CREATE TABLE gis.layer_grant (
    layer      text NOT NULL REFERENCES gis.layer ON DELETE CASCADE,
    department text NOT NULL REFERENCES gis.department,
    access     text NOT NULL CHECK (access IN ('see', 'edit', 'manage')),
    is_personal boolean NOT NULL DEFAULT false,        -- also the personal attributes
    area       geometry(MultiPolygon, 6668),           -- NULL: everywhere; else edits stay inside
    area_name  text NOT NULL DEFAULT '',
    granted_by text NOT NULL DEFAULT gis.current_account(),
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (layer, department),                   -- Usage: the area of a row policy.
    CHECK (area IS NULL OR access = 'edit' AND NOT is_personal)
);
-- Row policies read the area as the department itself.
GRANT SELECT ON gis.layer_grant TO department, machimori_service;
