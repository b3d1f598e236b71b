-- name: source_counts
WITH documents AS (
    SELECT source, count(*) AS documents, max(received_at) AS last_new_at FROM ingest.document GROUP BY source
),
reports AS (
    -- Each report opens an incident, tells of one once more, or is about another place.
    SELECT source, sum(reports) AS reports, count(incident_fid) AS incidents,
           coalesce(sum(reports) FILTER (WHERE incident_fid IS NULL), 0) AS elsewhere
    FROM (SELECT source, incident_fid, count(*) AS reports FROM ingest.report GROUP BY source, incident_fid) told
    GROUP BY source
),
rejections AS (
    SELECT d.source, count(*) AS rejected
    FROM ingest.dead_letter x JOIN ingest.document d ON d.id = x.document_id GROUP BY d.source
),
named AS (
    SELECT name FROM ingest.source UNION SELECT source FROM documents
)
SELECT n.name, s.last_run_at, s.last_success_at, s.last_error, s.next_run_at, s.circuit_opened_at,
       s.paused_at, s.paused_by, s.pause_reason, s.failing_since,
       coalesce(s.consecutive_failures, 0) AS failures,
       coalesce(s.next_run_at < now() - interval '5 minutes', false) AS is_late,
       coalesce(d.documents, 0) AS documents, d.last_new_at,
       coalesce(r.reports, 0)::bigint AS reports, coalesce(r.incidents, 0) AS incidents,
       coalesce(r.elsewhere, 0)::bigint AS elsewhere, coalesce(x.rejected, 0) AS rejected,
       ARRAY(SELECT a.cause FROM ingest.alarm a
             WHERE a.source = n.name AND a.closed_at IS NULL ORDER BY a.cause) AS causes
FROM named n
LEFT JOIN ingest.source s USING (name)
LEFT JOIN documents d ON d.source = n.name
LEFT JOIN reports r ON r.source = n.name
LEFT JOIN rejections x ON x.source = n.name

-- name: dead_letters
SELECT d.id, d.source, d.name, x.record, x.reason, x.created_at
FROM ingest.dead_letter x JOIN ingest.document d ON d.id = x.document_id
ORDER BY x.id DESC LIMIT :limit
