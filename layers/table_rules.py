"""What a layer's columns may hold: NOT NULL, defaults and checks that follow from its definition."""

from __future__ import annotations

from psycopg import sql

from layers.definition import Attribute, Definition

_CHECK_SUFFIXES = ("code", "pattern", "minimum", "maximum", "finite", "filled")


def rule_statements(definition: Definition) -> sql.Composed:
    """Return the statements that bring nullability, defaults and checks of existing columns up to date."""
    return sql.SQL("\n").join([_rules(definition), _checks(definition)])


def drop_checks(definition: Definition, attribute: Attribute) -> sql.Composed:
    """Return the statement that takes away an attribute's checks, whose names have its name in them."""
    table = _table(definition, attribute.personal)
    return sql.SQL("ALTER TABLE {} {};").format(table, sql.SQL(", ").join(_dropped_checks(attribute)))


def _rules(definition: Definition) -> sql.Composed:
    position = sql.SQL("SET NOT NULL" if definition.is_geometry_required else "DROP NOT NULL")
    made: list[sql.Composable] = [sql.SQL("ALTER TABLE {} ALTER COLUMN geom {};").format(_table(definition), position)]
    for attribute in definition.attributes:
        table, column = _table(definition, attribute.personal), sql.Identifier(attribute.name)
        default = (
            sql.SQL("DROP DEFAULT")
            if attribute.default is None
            else sql.SQL("SET DEFAULT {}").format(sql.Literal(attribute.default))
        )
        null = sql.SQL("SET NOT NULL" if attribute.required else "DROP NOT NULL")
        made.append(
            sql.SQL("ALTER TABLE {0} ALTER COLUMN {1} {2}, ALTER COLUMN {1} {3};").format(table, column, default, null)
        )
    # What nobody can fill in any more must not be asked for.
    made += [
        sql.SQL("ALTER TABLE {0} ALTER COLUMN {1} DROP DEFAULT, ALTER COLUMN {1} DROP NOT NULL;").format(
            _table(definition, attribute.personal), sql.Identifier(attribute.name)
        )
        for attribute in definition.retired
    ]
    return sql.SQL("\n").join(made)


def _checks(definition: Definition) -> sql.Composed:
    made: list[sql.Composable] = [drop_checks(definition, attribute) for attribute in definition.retired]
    for attribute in definition.attributes:
        rules = conditions(attribute, is_key=attribute.name == definition.key)
        actions = _dropped_checks(attribute)
        actions += [
            sql.SQL("ADD CONSTRAINT {} CHECK ({})").format(sql.Identifier(f"{attribute.name}_{suffix}"), condition)
            for suffix, condition in rules.items()
        ]
        table = _table(definition, attribute.personal)
        made.append(sql.SQL("ALTER TABLE {} {};").format(table, sql.SQL(", ").join(actions)))
    return sql.SQL("\n").join(made)


def _dropped_checks(attribute: Attribute) -> list[sql.Composable]:
    return [
        sql.SQL("DROP CONSTRAINT IF EXISTS {}").format(sql.Identifier(f"{attribute.name}_{suffix}"))
        for suffix in _CHECK_SUFFIXES
    ]


def conditions(attribute: Attribute, is_key: bool) -> dict[str, sql.Composable]:
    """Return an attribute's checks by the suffix of the constraint's name; NULL passes all of them."""
    column = sql.Identifier(attribute.name)
    made: dict[str, sql.Composable] = {}
    if attribute.codes:
        values = sql.SQL(", ").join(sql.Literal(value) for value in attribute.codes.values)
        made["code"] = sql.SQL("{} IN ({})").format(column, values)
    if attribute.pattern:
        made["pattern"] = sql.SQL("{} ~ {}").format(column, sql.Literal(attribute.pattern))
    if attribute.minimum is not None:
        made["minimum"] = sql.SQL("{} >= {}").format(column, sql.Literal(attribute.minimum))
    if attribute.maximum is not None:
        made["maximum"] = sql.SQL("{} <= {}").format(column, sql.Literal(attribute.maximum))
    if attribute.type == "real":
        made["finite"] = sql.SQL("{} NOT IN ('NaN', 'Infinity', '-Infinity')").format(column)
    if attribute.type == "text" and (attribute.required or is_key):
        made["filled"] = sql.SQL("btrim({}) <> ''").format(column)
    return made


def _table(definition: Definition, personal: bool = False) -> sql.Identifier:
    return sql.Identifier("layers", definition.name + ("_personal" if personal else ""))
