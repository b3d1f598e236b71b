-- The push door: one key, one body, one answer. The body itself is a document like any other.
CREATE TABLE ingest.push (
    source          text NOT NULL,
    idempotency_key text NOT NULL,
    document_id     bigint NOT NULL REFERENCES ingest.document,
    status          smallint,                          -- of the answer; NULL: not worked on when it was answered
    answer          jsonb,                             -- numbers of reports, and what was rejected and why
    received_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, idempotency_key),
    CHECK ((status IS NULL) = (answer IS NULL))
);
-- Usage: forget what is older than a week.
CREATE INDEX push_received ON ingest.push (received_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.push TO machimori_service;
