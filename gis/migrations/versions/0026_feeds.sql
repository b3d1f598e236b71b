-- What became of the things that a feed told of.

-- A feed that lists what is current is compared with what is open. Of two lists the one seen later counts, also when
-- the earlier one is worked on after it; and a list that is the same, byte for byte, as one before the last is another
-- list again.
ALTER TABLE ingest.source
    ADD COLUMN listed_document bigint,                 -- the last list that was compared; NULL: none yet
    ADD COLUMN listed_at       timestamptz,            -- when that one was seen
    ADD CONSTRAINT list_is_whole CHECK ((listed_document IS NULL) = (listed_at IS NULL));
