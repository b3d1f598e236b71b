-- name: begin_sender
INSERT INTO alerts.sender (worker, thread_id, beats_until)
SELECT :worker, coalesce(thread_id, id), clock_timestamp() + make_interval(secs => :beat_s)
FROM alerts.alert WHERE id = :alert_id
RETURNING id

-- name: end_senders
-- End one sender (:sender_id), or those that do not beat any more. A clock that was set back far leaves a beat in the
-- distant future: that one is dead, too. What they had in hand comes back; it may have been handed over.
DELETE FROM alerts.sender
WHERE id = CAST(:sender_id AS bigint)
   OR CAST(:sender_id AS bigint) IS NULL
      AND (beats_until < clock_timestamp() OR beats_until > clock_timestamp() + make_interval(secs => 3 * :beat_s))
RETURNING in_hand

-- name: free_orphans
-- Put what no living sender holds back into the queue; what was in hand (:in_hand) is noted as in doubt.
WITH freed AS (
    UPDATE alerts.delivery d
    SET state = 'pending', sender_id = NULL, next_attempt_at = clock_timestamp(),
        attempts = d.attempts - (d.id <> ALL (:in_hand))::int
    WHERE d.state = 'sending' AND d.merged_into IS NULL
      AND NOT EXISTS (SELECT FROM alerts.sender s WHERE s.id = d.sender_id)
    RETURNING d.id, d.alert_id
), doubt AS (
    INSERT INTO alerts.attempt (delivery_id, outcome, reply, in_doubt)
    SELECT id, 'deferred', 'the worker died while it handed this over', true FROM freed WHERE id = ANY (:in_hand)
)
SELECT DISTINCT alert_id FROM freed ORDER BY alert_id

-- name: thread_alerts
-- The alerts of a thread, oldest first: nobody gets an older message after a newer one.
SELECT t.id FROM alerts.alert t
JOIN alerts.alert m ON m.id = :alert_id AND (t.id = coalesce(m.thread_id, m.id) OR t.thread_id = coalesce(m.thread_id, m.id))
WHERE t.state NOT IN ('draft', 'submitted', 'discarded')
ORDER BY t.id

-- name: claim
-- Take a batch for a sender. A row waits while an older message to the same person is still to be sent. The lock on the
-- sender's row keeps it from being declared dead in between. Mail domains under a limit have a claim each (:pace).
-- OFFSET 0 keeps a state out of reach of the search for a person's other messages: by its statistics, which know of none
-- that is due or on its way, the planner read all of those for each row of the batch.
WITH me AS MATERIALIZED (
    SELECT id FROM alerts.sender WHERE id = :sender_id FOR KEY SHARE
), due AS MATERIALIZED (
    SELECT d.id
    FROM alerts.delivery d
    WHERE d.alert_id = :alert_id AND d.channel = :channel AND d.pace = :pace
      AND d.state IN ('pending', 'deferred') AND d.next_attempt_at <= clock_timestamp() AND NOT d.is_held
      AND EXISTS (SELECT FROM me)
      AND NOT EXISTS (
          SELECT FROM unnest(CAST(:older_ids AS bigint[])) AS older (id), LATERAL (
              SELECT o.state, o.is_held FROM alerts.delivery o
              WHERE o.alert_id = older.id AND o.subscriber_id = d.subscriber_id AND o.channel = d.channel OFFSET 0) o
          WHERE o.state = 'pending' AND NOT o.is_held OR o.state = 'sending')
    ORDER BY d.next_attempt_at
    LIMIT :most
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE alerts.delivery d
SET state = 'sending', attempts = d.attempts + 1, sender_id = :sender_id
FROM due, alerts.subscriber s
WHERE d.id = due.id AND s.id = d.subscriber_id
RETURNING d.id, d.alert_id, d.address, d.language, d.place_names, d.nearest_sites::text, d.attempts, s.token,
    (SELECT jsonb_agg(jsonb_build_array(coalesce(c.alert_id, e.alert_id), coalesce(c.id, e.id)) ORDER BY e.alert_id)
     FROM unnest(CAST(:older_ids AS bigint[])) AS older (id), LATERAL (
         SELECT e.id, e.alert_id, e.state, e.merged_into FROM alerts.delivery e
         WHERE e.alert_id = older.id AND e.subscriber_id = d.subscriber_id AND e.channel = d.channel OFFSET 0) e
     LEFT JOIN alerts.delivery c ON c.id = e.merged_into
     WHERE e.state = 'accepted') AS earlier,
    CASE WHEN d.carries > 0 THEN
        (SELECT jsonb_agg(jsonb_build_array(f.alert_id, f.place_names) ORDER BY a.level DESC, f.alert_id DESC)
         FROM (SELECT f.alert_id, f.place_names, f.state FROM alerts.delivery f WHERE f.merged_into = d.id OFFSET 0) f
         JOIN alerts.alert a ON a.id = f.alert_id
         WHERE f.state IN ('pending', 'deferred'))
    END AS carried

-- name: plan_claims
-- Straight to the rows, whatever the statistics say: they know nothing of a message written a moment ago.
SELECT set_config(name, 'off', true) FROM unnest('{enable_sort,enable_seqscan,enable_hashjoin,enable_mergejoin}'::text[]) name

-- name: due_paces
-- Which of the limits have something due.
SELECT p.name FROM unnest(CAST(:names AS text[])) AS p (name)
WHERE EXISTS (SELECT FROM alerts.delivery d
              WHERE d.alert_id = :alert_id AND d.channel = 'mail' AND d.pace = p.name
                AND d.state IN ('pending', 'deferred') AND d.next_attempt_at <= clock_timestamp() AND NOT d.is_held)

-- name: align_paces
-- The limits may have been written anew since the recipients were frozen.
UPDATE alerts.delivery d SET pace = coalesce(CAST(:paces AS jsonb) ->> d.domain, '')
WHERE d.alert_id = ANY (:alert_ids) AND d.channel = 'mail' AND d.state IN ('pending', 'deferred')
  AND d.pace <> coalesce(CAST(:paces AS jsonb) ->> d.domain, '')

-- name: lock_pace
SELECT free_at FROM alerts.pace WHERE name = :name FOR UPDATE

-- name: add_pace
INSERT INTO alerts.pace (name) VALUES (:name) ON CONFLICT DO NOTHING

-- name: read_room
-- How many messages may go to a paced domain now: free connections, and what the rate allows (a second's worth at most).
SELECT greatest(0, least(
    :connections - (SELECT count(*) FROM alerts.delivery WHERE state = 'sending' AND pace = :name AND pace <> '' AND merged_into IS NULL),
    floor(extract(epoch FROM clock_timestamp() + interval '1 second'
                             - greatest(free_at, clock_timestamp())) * :per_second)))::int
FROM alerts.pace WHERE name = :name

-- name: use_room
UPDATE alerts.pace
SET free_at = greatest(free_at, clock_timestamp()) + make_interval(secs => :messages / CAST(:per_second AS double precision))
WHERE name = :name

-- name: release
UPDATE alerts.delivery SET state = 'pending', sender_id = NULL, attempts = attempts - 1
WHERE id = ANY (:delivery_ids) AND state = 'sending' AND sender_id = :sender_id

-- name: defer_all
-- No relay: everything that is due of this alert, and what this worker had claimed, waits; each for its own time.
WITH waiting AS (
    SELECT id, attempts + (state <> 'sending')::int AS attempts
    FROM alerts.delivery
    WHERE alert_id = :alert_id AND channel = 'mail'
      AND (id = ANY (:claimed_ids) AND state = 'sending'
           OR state IN ('pending', 'deferred') AND NOT is_held AND next_attempt_at <= clock_timestamp())
    FOR UPDATE SKIP LOCKED
), deferred AS (
    UPDATE alerts.delivery d
    SET state = 'deferred', attempts = w.attempts, sender_id = NULL,
        next_attempt_at = clock_timestamp() + make_interval(secs => least(:longest_s, :first_s * 2 ^ least(w.attempts - 1, 20)))
    FROM waiting w WHERE d.id = w.id
    RETURNING d.id
)
INSERT INTO alerts.attempt (delivery_id, relay, outcome, reply)
SELECT id, :relay, 'deferred', :reply FROM deferred

-- name: close_alert
-- The last delivery is done.
UPDATE alerts.alert SET state = 'sent'
WHERE id = :alert_id AND state = 'sending'
  AND NOT EXISTS (SELECT FROM alerts.delivery d
                  WHERE d.alert_id = :alert_id AND d.state IN ('pending', 'deferred', 'sending'))

-- name: expire_alerts
UPDATE alerts.alert SET state = 'expired' WHERE state IN ('sending', 'sent') AND expires_at < clock_timestamp()

-- name: mend_clock
-- A clock that ran ahead and was set back leaves times nobody would wait for.
UPDATE alerts.delivery SET next_attempt_at = clock_timestamp()
WHERE state IN ('pending', 'deferred') AND NOT is_held
  AND next_attempt_at > clock_timestamp() + make_interval(secs => :longest_s)

-- name: alerts_to_send
-- Where there is more due than its senders should have before them (nobody is working on it, or one alone is slow), and
-- alerts whose closing was missed.
SELECT a.id
FROM alerts.alert a
CROSS JOIN LATERAL (SELECT :share * count(*) AS messages FROM alerts.sender s
                    WHERE s.thread_id = coalesce(a.thread_id, a.id)) load
WHERE (SELECT count(*) FROM (SELECT FROM alerts.delivery d
                             WHERE d.alert_id = a.id AND d.state IN ('pending', 'deferred') AND NOT d.is_held
                               AND d.next_attempt_at <= clock_timestamp()
                             LIMIT load.messages + 1) due) > load.messages
   OR a.state = 'sending' AND NOT EXISTS (SELECT FROM alerts.delivery d
                                          WHERE d.alert_id = a.id AND d.state IN ('pending', 'deferred', 'sending'))
ORDER BY a.id

-- name: read_letter
SELECT t.language, t.event, t.headline, t.description, t.instruction, a.sent_at, a.msg_type
FROM alerts.alert a JOIN alerts.alert_text t ON t.alert_id = a.id
WHERE a.id = :alert_id AND t.language = :language
