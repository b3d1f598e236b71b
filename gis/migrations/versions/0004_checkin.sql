-- Which feature became of a row that was added offline: the same file checked in again adds nothing twice.
CREATE TABLE gis.checked_in (
    checkout_id text NOT NULL,                         -- of the file (layers/checkout.py)
    layer       text NOT NULL,
    row_number  bigint NOT NULL,                       -- fid inside the file
    fid         bigint NOT NULL,
    PRIMARY KEY (checkout_id, layer, row_number)       -- Usage: what of a file is in already.
);
GRANT SELECT, INSERT ON gis.checked_in TO department;
