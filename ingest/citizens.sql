-- name: hold_senders
-- Then look, in a statement of its own: only that sees what was committed while this one waited.
-- One report at a time from a network: otherwise many at once would all find the count below the limit.
SELECT pg_advisory_xact_lock(hashtextextended('citizen:' || :network_key, 0))

-- name: counts
-- Those of the last minute by their numbers, from the first to the last: in a storm each report asks, and counting them
-- would be half of its work. No key is '', and each is said not to be: without that a prepared plan may not use the index
-- of the keys, and reads all reports of the hour for each that comes.
SELECT EXISTS (SELECT FROM ingest.citizen_report WHERE reference = :reference) AS is_known,
       coalesce((SELECT max(id) FROM ingest.citizen_report)
                - (SELECT id FROM ingest.citizen_report WHERE created_at > now() - interval '1 minute'
                   ORDER BY created_at, id LIMIT 1) + 1, 0) AS last_minute,
       neighbours.network, neighbours.is_repeated,
       (SELECT count(*) FROM ingest.citizen_report
        WHERE device_key = :device_key AND device_key <> '' AND created_at > now() - interval '1 hour') AS device,
       (SELECT count(*) FROM ingest.citizen_report
        WHERE contact_key = :contact_key AND contact_key <> '' AND created_at > now() - interval '1 day') AS contact,
       EXISTS (SELECT FROM ingest.citizen_block
               WHERE sender_key IN (:network_key, :device_key) AND sender_key <> '' AND until_at > now() AND lifted_at IS NULL)
           AS is_blocked
FROM (
    SELECT count(*) FILTER (WHERE created_at > now() - interval '1 hour') AS network,
           coalesce(bool_or(text_key = :text_key AND withdrawn_at IS NULL
                            AND created_at > now() - make_interval(hours => :repeat_hours)), false) AS is_repeated
    FROM ingest.citizen_report
    WHERE network_key = :network_key AND network_key <> ''
          AND created_at > now() - greatest(interval '1 hour', make_interval(hours => :repeat_hours))
) neighbours

-- name: town_last_minute
-- As above.
SELECT coalesce((SELECT max(id) FROM ingest.citizen_report)
                - (SELECT id FROM ingest.citizen_report WHERE created_at > now() - interval '1 minute'
                   ORDER BY created_at, id LIMIT 1) + 1, 0)

-- name: store_report
-- The report and its document at one go: in a storm the way to the server and back counts. A form that another sending
-- has stored meanwhile gives neither.
WITH taken AS (
    INSERT INTO ingest.citizen_report
        (reference, kind, language, contact, wants_mail, network_key, device_key, text_key, contact_key, is_proven)
    VALUES
        (:reference, :kind, :language, :contact, :contact <> '', :network_key, :device_key, :text_key, :contact_key, :is_proven)
    ON CONFLICT (reference) DO NOTHING
    RETURNING id
)
INSERT INTO ingest.document (source, origin, name, sha256, byte_size, body, is_private)
SELECT :source, 'push', :name, :sha256, :byte_size, :body, true FROM taken
RETURNING id AS document_id, (SELECT id FROM taken) AS report_id

-- name: store_photo
INSERT INTO ingest.citizen_photo (report_id, media_type, sha256, width, height, body, thumbnail)
VALUES (:report_id, :media_type, :sha256, :width, :height, :body, :thumbnail)
ON CONFLICT (report_id, sha256) DO NOTHING

-- name: hold_report
SELECT id, kind, language, parts, withdrawn_at IS NOT NULL AS is_withdrawn,
       (SELECT count(*) FROM ingest.citizen_photo p WHERE p.report_id = c.id) AS photos
FROM ingest.citizen_report c WHERE reference = :reference FOR UPDATE

-- name: count_part
UPDATE ingest.citizen_report SET parts = parts + 1 WHERE id = :id RETURNING parts

-- name: withdraw
UPDATE ingest.citizen_report SET parts = parts + 1, withdrawn_at = now(), wants_mail = false, contact = '' WHERE id = :id
RETURNING parts

-- name: stop_mails
-- The address is not needed for anything else.
UPDATE ingest.citizen_report SET wants_mail = false, contact = '' WHERE reference = :reference RETURNING id

-- name: forget
WITH due AS (
    SELECT id FROM ingest.citizen_report
    WHERE created_at < :before AND erased_at IS NULL ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
),
photos AS (
    UPDATE ingest.citizen_photo SET body = NULL, thumbnail = NULL WHERE report_id IN (SELECT id FROM due) RETURNING attachment
),
reports AS (
    UPDATE ingest.citizen_report
    SET contact = '', wants_mail = false, network_key = '', device_key = '', text_key = '', contact_key = '', erased_at = now()
    WHERE id IN (SELECT id FROM due) RETURNING 1
)
SELECT (SELECT count(*) FROM reports) AS reports, (SELECT count(*) FROM photos) AS photos,
       (SELECT coalesce(array_agg(attachment) FILTER (WHERE attachment IS NOT NULL), '{}') FROM photos) AS attachments

-- name: erase_attachments
SELECT ingest.erase_citizen_attachments(CAST(:attachments AS bigint[]))

-- name: erase_withdrawn
UPDATE ingest.citizen_photo SET body = NULL, thumbnail = NULL WHERE report_id = :id RETURNING attachment
