-- An address that refused several times gets no more; who has the subscription's key says that it takes mail again. The
-- refusals before count no more (alerts.suspend_refusers), and what is in force now is sent (changed_xid).
CREATE FUNCTION open.resume_subscription(wanted_token text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    WITH resumed AS (
        UPDATE alerts.subscriber SET state = 'confirmed', updated_at = now()
        WHERE token = wanted_token AND state = 'suspended' RETURNING 1)
    SELECT EXISTS (SELECT FROM resumed)
        OR EXISTS (SELECT FROM alerts.subscriber WHERE token = wanted_token AND state = 'confirmed')
$$;
REVOKE ALL ON FUNCTION open.resume_subscription FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open.resume_subscription TO citizen;
