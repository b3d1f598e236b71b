-- As dept_disaster: to count by language; endpoints are read by nobody of the office.
GRANT SELECT (id, subscriber_id, language, created_at, gone_at) ON alerts.push_device TO dept_disaster_viewer;
