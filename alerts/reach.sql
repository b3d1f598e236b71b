-- name: reach_cells
-- Recipients by the cell that was frozen with them. On any channel counts as arrived.
SELECT cell_north AS northing, cell_east AS easting, count(*) AS people, count(*) FILTER (WHERE NOT has_it) AS missing
FROM (SELECT max(cell_north) AS cell_north, max(cell_east) AS cell_east, bool_or(state = 'accepted') AS has_it
      FROM alerts.delivery WHERE alert_id = :alert_id GROUP BY subscriber_id) person
GROUP BY 1, 2
