-- name: stale_years
-- Years of the incidents that were written after the last count, as they are and as they were before.
WITH changed AS (
    SELECT fid, occurred_at, reported_at FROM layers.incident
    WHERE updated_at > coalesce((SELECT max(counted_at) FROM ingest.statistic_year), '-infinity') - interval '5 minutes'
)
SELECT DISTINCT extract(year FROM coalesce(occurred_at, reported_at) AT TIME ZONE 'Asia/Tokyo')::int AS year
FROM changed WHERE coalesce(occurred_at, reported_at) IS NOT NULL
UNION
SELECT DISTINCT extract(year FROM coalesce(h.occurred_at, h.reported_at) AT TIME ZONE 'Asia/Tokyo')::int
FROM history.incident h JOIN changed c ON c.fid = h.fid
WHERE coalesce(h.occurred_at, h.reported_at) IS NOT NULL

-- name: count_years
-- What was published, also if it no longer is; drills, withdrawn and merged ones never happened by themselves.
-- An hour that the source did not know is no hour: it wrote the whole day, or a time of a precision that says so.
WITH incident AS (
    SELECT extract(year FROM coalesce(i.occurred_at, i.reported_at) AT TIME ZONE 'Asia/Tokyo')::int AS year,
           i.kind, coalesce(i.category, '') AS category, coalesce(i.place_name, '') AS quarter,
           coalesce(i.occurred_at, i.reported_at) AT TIME ZONE 'Asia/Tokyo' AS happened, 
           i.occurred_at IS NOT NULL AND coalesce(i.occurred_precision, said.time_precision, 'minute') IN ('minute', 'hour') AS is_timed,
           coalesce(i.source, '') AS source,
           CASE WHEN ST_XMax(i.geom) - ST_XMin(i.geom) <= 0.0126 THEN ST_Centroid(i.geom) END AS middle
    FROM layers.incident i
    LEFT JOIN LATERAL (SELECT r.facts->>'time_precision' AS time_precision FROM ingest.report r
                       WHERE r.incident_fid = i.fid AND r.facts ? 'time_precision' ORDER BY r.reported_at DESC, r.id DESC LIMIT 1) said ON true
    WHERE i.publication IN ('published', 'expired') AND i.status = 'Actual' AND i.state <> 'cancelled'
      AND extract(year FROM coalesce(i.occurred_at, i.reported_at) AT TIME ZONE 'Asia/Tokyo')::int = ANY(:years)
),
told AS (
    SELECT year, kind, happened, is_timed, category, quarter, source,
           -- 3次メッシュ (JIS X 0410), about 1 km: latitude × 1.5, longitude − 100, then eighths, then tenths.
           CASE WHEN middle IS NULL THEN '' ELSE
               format('%s%s%s%s%s%s', floor(lat * 1.5), floor(lon) - 100, floor(lat * 12)::int % 8,
                      floor((lon - floor(lon)) * 8), floor(lat * 120)::int % 10, floor((lon - floor(lon)) * 80)::int % 10) END AS mesh
    FROM (SELECT *, ST_Y(middle) AS lat, ST_X(middle) AS lon FROM incident) AS placed
)
SELECT year, kind, dimension, value, count(*) AS incidents
FROM told, LATERAL (VALUES
    ('total', ''), ('category', category), ('quarter', quarter), ('mesh', mesh), ('source', source),
    ('month', to_char(happened, 'MM')), ('weekday', to_char(happened, 'ID')),
    ('hour', CASE WHEN is_timed THEN to_char(happened, 'HH24') ELSE '' END)
) AS dimension (dimension, value)
GROUP BY year, kind, dimension, value

-- name: forget_years
DELETE FROM ingest.statistic WHERE year = ANY(:years)

-- name: store
INSERT INTO ingest.statistic (year, kind, dimension, value, count, shown)
VALUES (:year, :kind, :dimension, :value, :count, :shown)

-- name: note_counted
INSERT INTO ingest.statistic_year (year, counted_at) VALUES (:year, :counted_at)
ON CONFLICT (year) DO UPDATE SET counted_at = excluded.counted_at

-- name: read_open
SELECT year, kind, dimension, value, shown FROM open.statistic
WHERE kind = :kind AND year = :year ORDER BY dimension, value

-- name: read_all
SELECT year, kind, dimension, value, count FROM ingest.statistic
WHERE kind = :kind AND year = :year ORDER BY dimension, value

-- name: read_for_staff
SELECT year, kind, dimension, value, count FROM gis.all_statistics(:kind, :year) ORDER BY dimension, value

-- name: may_read_all
SELECT gis.reads_all_statistics()

-- name: response_times
SELECT kind, incidents, median_minutes, p90_minutes FROM gis.response_times(:year)

-- name: waiting
SELECT kind, incidents, oldest_at FROM gis.waiting_incidents()

-- name: tables
SELECT DISTINCT kind, year FROM open.statistic ORDER BY year DESC, kind
