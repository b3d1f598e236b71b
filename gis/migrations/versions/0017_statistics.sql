-- Statistics over incidents: counted by a job, so that a page costs the same whether there are ten incidents or a million.

-- How many incidents of a kind there were in a year, told by one dimension. Times are Japanese.
CREATE TABLE ingest.statistic (
    year      int NOT NULL,
    kind      text NOT NULL,
    dimension text NOT NULL CHECK (dimension IN ('total', 'category', 'quarter', 'mesh', 'month', 'weekday', 'hour')),
    value     text NOT NULL,                           -- of the dimension; '' = not known
    count     bigint NOT NULL,
    shown     bigint,                                  -- what the public may read; NULL: suppressed, it would tell of too few
    PRIMARY KEY (kind, year, dimension, value)
);
-- When a year was counted last, and from what.
CREATE TABLE ingest.statistic_year (
    year       int PRIMARY KEY,
    counted_at timestamptz NOT NULL DEFAULT now()
);

-- Everybody may read what is shown; the database, not a page, keeps the rest back.
CREATE VIEW open.statistic AS SELECT year, kind, dimension, value, shown FROM ingest.statistic;
GRANT SELECT ON open.statistic TO citizen, machimori_service, department;
GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.statistic, ingest.statistic_year TO machimori_service;
GRANT SELECT ON ingest.statistic TO dept_disaster, dept_disaster_viewer;
