"""The tables of a layer: DDL that follows from its definition (templates in tables.sql).

`layers.<name>` in EPSG:6668, its typed history `history.<name>`, the view `open.<name>` of a public layer,
and `layers.<name>_personal` with a history of its own when an attribute is personal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from psycopg import sql

from gis.database import SERVICE
from gis.queries import load_queries
from layers.definition import Attribute, Definition
from layers.definition_check import POSTGRES_TYPES
from layers.drawn import drawn_condition
from layers.table_rules import drop_checks, rule_statements

_TEMPLATES = load_queries(__file__)


def ground_statements() -> sql.Composed:
    """Return the functions that all layers share."""
    return _template("ground")


def create_statements(definition: Definition) -> sql.Composed:
    """Return the statements that make all tables, triggers, views and grants of a new layer."""
    made = [_template("create_layer", **_names(definition), geometry=sql.SQL(definition.geometry))]
    if definition.has_personal_table:
        made.append(create_personal(definition))
    return _lines([*made, add_attributes(definition, definition.kept_attributes), regenerate_statements(definition)])


def create_personal(definition: Definition) -> sql.Composed:
    """Return the statements that make the table of the personal attributes, without any yet."""
    return _template("create_personal", **_names(definition, personal=True))


def lock_statements(definition: Definition) -> sql.Composed:
    """Return the statements that wait until nobody works in a layer, and keep everybody out of it from then on."""
    parts = [_template("lock", **_names(definition))]
    if definition.has_personal_table:
        parts.append(_template("lock_personal", **_names(definition, personal=True)))
    return _lines(parts)


def rename_attribute(definition: Definition, attribute: Attribute, name: str) -> sql.Composed:
    """Return the statements that rename a column of a layer and its history; values stay."""
    names = _names(definition, attribute.personal)
    tables = [names["layer"], names["history"]]
    old, new = sql.Identifier(attribute.name), sql.Identifier(name)
    renamed = [sql.SQL("ALTER TABLE {} RENAME COLUMN {} TO {};").format(table, old, new) for table in tables]
    return _lines([drop_checks(definition, attribute), *renamed])


def change_key(definition: Definition) -> sql.Composed:
    """Return the statements that let the layer's key be what its definition says, for upserts by it."""
    names = _names(definition)
    index = {"index": sql.Identifier("layers", f"{definition.name}_key"), "layer": names["layer"]}
    dropped = sql.SQL("DROP INDEX IF EXISTS {index};").format(**index)
    return _lines([dropped, _key_index(definition)]) if definition.key else dropped


def drop_statements(definition: Definition) -> sql.Composed:
    """Return the statements that take away everything that belongs to a layer."""
    parts = [_template("drop_personal", **_names(definition, personal=True))] if definition.has_personal_table else []
    return _lines([close_statements(definition), *parts, _template("drop_layer", **_names(definition))])


def add_attributes(definition: Definition, attributes: Iterable[Attribute]) -> sql.Composed:
    """Return the statements that add columns to a layer's tables, filled with their default where rows exist."""
    made: list[sql.Composable] = []
    for attribute in attributes:
        names = _names(definition, personal=attribute.personal)
        filled = (
            sql.SQL("") if attribute.default is None else sql.SQL(" DEFAULT {}").format(sql.Literal(attribute.default))
        )
        for table in (names["layer"], names["history"]):
            made.append(sql.SQL("ALTER TABLE {} ADD COLUMN {}{};").format(table, _column(attribute), filled))
        if attribute.name == definition.key:
            made.append(_key_index(definition))
    return _lines(made)


def close_statements(definition: Definition) -> sql.Composed:
    """Return the statement that drops the public view, so that the columns beneath may change."""
    return _template("close_view", **_names(definition))


def regenerate_statements(definition: Definition) -> sql.Composed:
    """Return the statements that bring all but the columns of existing tables up to date."""
    made = [
        _history_columns(definition),
        rule_statements(definition),
        _attribute_indexes(definition),
        _drawn_index(definition),
        _functions(definition),
        _view(definition),
        _grants(definition),
        _writers(definition),
        _comments(definition),
    ]
    if definition.has_personal_table:
        made.append(_carry_over(definition, personal=True))
        made.append(_functions(definition, personal=True))
        made.append(_grants(definition, personal=True))
    return _lines(made)


def _names(definition: Definition, personal: bool = False) -> dict[str, sql.Composable]:
    name = definition.name + ("_personal" if personal else "")
    return {
        "layer": sql.Identifier("layers", name),
        "parent": sql.Identifier("layers", definition.name),
        "history": sql.Identifier("history", name),
        "open": sql.Identifier("open", name),
        "stamp": sql.Identifier("layers", f"{name}_stamp"),
        "log": sql.Identifier("history", f"{name}_log"),
        "geom_index": sql.Identifier(f"{name}_geom"),
        "changeset_index": sql.Identifier(f"{name}_changeset"),
        "left_index": sql.Identifier(f"{name}_left"),
        "history_name": sql.Literal(f"history.{name}"),
        "sequence": sql.Identifier("layers", f"{name}_fid_seq"),
        "role": sql.Identifier(definition.owner_role),
    }


def _functions(definition: Definition, personal: bool = False) -> sql.Composed:
    names = _names(definition, personal)
    # What is out of use goes on being written into the history, so that a feature taken back has it again.
    attributes = [attribute for attribute in definition.kept_attributes if attribute.personal == personal]
    geom = [] if personal else ["geom"]
    columns = [*geom, *(attribute.name for attribute in attributes)]
    lists = {"columns": _list(columns), "new_columns": _list(columns, "n")}
    identity = "personal_identity" if personal else "feature_identity"
    sequence_name = sql.Literal(f"layers.{definition.name}_fid_seq")
    stamp = _template(
        "stamp_function",
        **names,
        identity=_template(identity, **names, sequence_name=sequence_name),
        defaults=_fill_defaults(definition.personal_attributes if personal else definition.table_attributes),
    )
    left = {
        "keep_changed": _template("keep_changed_personal" if personal else "keep_changed", **names, **lists),
        "left": sql.SQL("" if personal else ", left_box"),
        "left_place": sql.SQL("" if personal else ", ST_Envelope(geom)"),
    }
    log = _template("log_function", **names, **lists, **left)
    return _lines([stamp, log, _template("triggers", **names)])


def _fill_defaults(attributes: Iterable[Attribute]) -> sql.Composed:
    """QGIS sends NULL for what a person left empty; one test for all, as most rows lack nothing."""
    filled = [attribute for attribute in attributes if attribute.default is not None]
    if not filled:
        return _lines([])
    values = sql.SQL(", ").join(sql.Identifier("new", a.name) for a in filled)
    lines = [
        sql.SQL("        NEW.{0} := coalesce(NEW.{0}, {1});").format(sql.Identifier(a.name), sql.Literal(a.default))
        for a in filled
    ]
    return sql.SQL("IF pg_catalog.num_nulls({}) > 0 THEN\n{}\n    END IF;\n    ").format(values, _lines(lines))


def _history_columns(definition: Definition) -> sql.Composed:
    return _template("history_index", **_names(definition), carry_over=_carry_over(definition))


def _carry_over(definition: Definition, personal: bool = False) -> sql.Composed:
    names = _names(definition, personal)
    move_over = sql.SQL("") if personal else _template("move_over", **names)
    return _template("carry_over", **names, move_over=move_over)


def _view(definition: Definition) -> sql.Composed:
    names = _names(definition)
    if not definition.is_public:
        return _template("close_view", **names)
    public = [attribute.name for attribute in definition.public_attributes]
    conditions = [
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in definition.open_when.items()
    ]
    condition = sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("")
    return _template(
        "open_view",
        **names,
        public=_list(public),
        condition=condition,
    )


def _grants(definition: Definition, personal: bool = False) -> sql.Composed:
    names = _names(definition, personal)
    rights = "INSERT, UPDATE, DELETE" if definition.is_deletable else "INSERT, UPDATE"
    editors: list[sql.Composable] = [names["role"]]
    if definition.is_service_edited and not personal:
        editors.append(sql.Identifier(SERVICE))
    edit = sql.SQL(f"GRANT {rights} ON {{}} TO {{}};").format(names["layer"], sql.SQL(", ").join(editors))
    if personal:
        return _lines([_template("personal_grants", **names), edit])
    number = sql.SQL("GRANT USAGE ON SEQUENCE {} TO {};").format(names["sequence"], sql.SQL(", ").join(editors))
    return _lines([_template("grants", **names), edit, number])


def _writers(definition: Definition) -> sql.Composed:
    """The guard by role is stricter than the grants: it asks who the person is, not for which department they work."""
    block = "guard_writers" if definition.writer_role else "unguard_writers"
    return _template(block, **_names(definition), writer_role=sql.Literal(definition.writer_role))


def _comments(definition: Definition) -> sql.Composed:
    comment = sql.SQL("COMMENT ON TABLE {} IS {};").format(
        _names(definition)["layer"], sql.Literal(f"{definition.title['ja']} / {definition.title['en']}")
    )
    columns = [
        sql.SQL("COMMENT ON COLUMN {}.{} IS {};").format(
            _names(definition, a.personal)["layer"],
            sql.Identifier(a.name),
            sql.Literal(f"{a.label['ja']} / {a.label['en']}" + (f" [{a.unit}]" if a.unit else "")),
        )
        for a in definition.attributes
    ]
    return _lines([comment, *columns])


def _attribute_indexes(definition: Definition) -> sql.Composed:
    made = sql.SQL(
        "-- Usage: what the definition says is sought or sorted by.\nCREATE INDEX IF NOT EXISTS {} ON {} ({});"
    )
    layer = _names(definition)["layer"]
    return _lines(
        [
            made.format(sql.Identifier(f"{definition.name}_by_{attribute.name}"), layer, sql.Identifier(attribute.name))
            for attribute in definition.table_attributes
            if attribute.indexed
        ]
    )


def _drawn_index(definition: Definition) -> sql.Composed:
    index = sql.Identifier("layers", f"{definition.name}_drawn")
    dropped = sql.SQL("DROP INDEX IF EXISTS {};").format(index)
    if not definition.drawn_when:
        return dropped
    made = sql.SQL(
        "-- Usage: tiles, where most of a layer is not drawn.\nCREATE INDEX {} ON {} USING gist (geom) WHERE true{};"
    )
    name = sql.Identifier(f"{definition.name}_drawn")
    return _lines([dropped, made.format(name, _names(definition)["layer"], drawn_condition(definition))])


def _key_index(definition: Definition) -> sql.Composed:
    unique = sql.SQL("-- Usage: upsert by key.\nCREATE UNIQUE INDEX {} ON {} ({});")
    index = sql.Identifier(f"{definition.name}_key")
    return unique.format(index, _names(definition)["layer"], sql.Identifier(definition.key))


def _column(attribute: Attribute) -> sql.Composed:
    return sql.SQL("{} {}").format(sql.Identifier(attribute.name), sql.SQL(POSTGRES_TYPES[attribute.type]))


def _list(columns: Sequence[str], prefix: str = "") -> sql.Composed:
    """Columns each after a comma, to stand behind others."""
    return sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(*filter(None, (prefix, name)))) for name in columns)


def _template(block: str, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(_TEMPLATES.sql(block)).format(**parts)


def _lines(statements: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL("\n").join(statements)
