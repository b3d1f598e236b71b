-- name: list
SELECT id, title, event, level, kind, created_by, created_at, updated_by, updated_at, retired_by, retired_at
FROM alerts.template ORDER BY retired_at IS NOT NULL, level DESC, title, id

-- name: read
SELECT id, title, event, level, kind FROM alerts.template WHERE id = :id

-- name: texts
SELECT language, event, headline, description, instruction, short FROM alerts.template_text WHERE template_id = :id

-- name: insert
INSERT INTO alerts.template (title, event, level, kind) VALUES (:title, :event, :level, :kind) RETURNING id

-- name: update
UPDATE alerts.template
SET title = :title, event = :event, level = :level, kind = :kind, updated_by = gis.current_account(), updated_at = now()
WHERE id = :id AND retired_at IS NULL

-- name: write_text
INSERT INTO alerts.template_text (template_id, language, event, headline, description, instruction, short)
VALUES (:id, :language, :event, :headline, :description, :instruction, :short)
ON CONFLICT (template_id, language) DO UPDATE
SET event = excluded.event, headline = excluded.headline, description = excluded.description, instruction = excluded.instruction,
    short = excluded.short

-- name: retire
UPDATE alerts.template SET retired_by = gis.current_account(), retired_at = now() WHERE id = :id AND retired_at IS NULL
