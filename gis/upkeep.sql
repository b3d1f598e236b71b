-- name: stalled_jobs
-- Jobs marked as running whose worker is gone or has been silent for longer than :silence_s seconds.
SELECT job.id, job.attempts,
       job.queueing_lock IS NOT NULL AND EXISTS (
           SELECT 1 FROM queue.procrastinate_jobs other
           WHERE other.queueing_lock = job.queueing_lock AND other.status = 'todo') AS is_replaced
FROM queue.procrastinate_jobs job
LEFT JOIN queue.procrastinate_workers worker ON worker.id = job.worker_id
WHERE job.status = 'doing'
  AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => :silence_s))
ORDER BY job.id
FOR UPDATE OF job SKIP LOCKED

-- name: retry_job
SELECT queue.procrastinate_retry_job_v2(:job_id, now(), NULL, NULL, NULL)

-- name: fail_job
SELECT queue.procrastinate_finish_job_v1(:job_id, 'failed', false)

-- name: queue_state
-- What doctor and the metrics tell about the queue: waiting and due, failed, live workers.
SELECT (SELECT count(*) FROM queue.procrastinate_jobs
        WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())) AS due,
       (SELECT count(*) FROM queue.procrastinate_jobs WHERE status = 'failed') AS failed,
       (SELECT count(*) FROM queue.procrastinate_workers
        WHERE last_heartbeat > now() - make_interval(secs => :silence_s)) AS workers
