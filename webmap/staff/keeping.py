"""Who keeps a layer changes its attributes and settings here; `gis.change_layer` decides who that is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import text
from werkzeug.wrappers import Response

from gis.errors import UsageError
from layers import reshaping
from layers.catalogue import change_layer, delete_layer, find_layer
from layers.definition import Definition, parse_attribute
from layers.definition_check import POSTGRES_TYPES
from layers.fitting import MisfitError, require_fit
from layers.keeping import changed_meanwhile
from layers.refusals import NotAllowedError
from webmap.languages import gettext
from webmap.staff.access import blueprint, staff_connection
from webmap.staff.attribute_form import own_codes_text, read_new, read_rules
from webmap.staff.draft_form import OWN_CODES, code_lists
from webmap.staff.rights import LayerRights, layer_rights

MOST_REASON_LETTERS = 500


@blueprint.route("/layers/<name>/attributes", methods=["GET", "POST"])
def keep_attributes(name: str) -> str | Response | tuple[str, int]:
    """List a layer's attributes for whoever keeps it; add, change, rename, retire one or take it up again."""
    definition, rights = kept_layer(name)
    if request.method == "GET":
        return _attributes_page(definition, rights)
    try:
        wanted, renamed = _wanted(definition)
        save_definition(definition, wanted, renamed)
    except NotAllowedError:
        raise
    except UsageError as error:
        return _attributes_page(definition, rights, error), 400
    flash(gettext("The attribute is changed: table, forms, map and history follow."), "done")
    return redirect(url_for("staff.keep_attributes", name=name), 303)


@blueprint.route("/layers/<name>/settings", methods=["GET", "POST"])
def keep_settings(name: str) -> str | Response | tuple[str, int]:
    """Change a layer's titles, source, licence, visibility and key; retire, take up again or delete it."""
    definition, rights = kept_layer(name)
    if request.method == "GET":
        return _settings_page(definition, rights)
    action = request.form.get("action", "save")
    try:
        if action == "delete":
            with staff_connection(read_reason()) as connection:
                delete_layer(connection, definition)
            flash(gettext("The layer is deleted."), "done")
            return redirect(url_for("staff.show_layers"), 303)
        wanted = _wanted_settings(definition, action)
        if wanted.is_public and not definition.is_public and "confirmed" not in request.form:
            return _settings_page(definition, rights, wanted=wanted, asks=True)
        save_definition(definition, wanted)
    except NotAllowedError:
        raise
    except UsageError as error:
        return _settings_page(definition, rights, error), 400
    flash(gettext("The layer's settings are saved."), "done")
    return redirect(url_for("staff.keep_settings", name=name), 303)


def kept_layer(name: str) -> tuple[Definition, LayerRights]:
    """Return a layer with the rights in it, for an account that keeps it.

    Raises
    ------
    NotAllowedError : it does not. UnknownLayerError : there is no such layer.
    """
    with staff_connection() as connection:
        definition = find_layer(connection, name)
        rights = layer_rights(connection)[name]
    if not rights.may_manage:
        raise NotAllowedError(
            "%(name)s: your account does not keep this layer.", "Ask the department it belongs to.", name=name
        )
    return definition, rights


def save_definition(old: Definition, new: Definition, renamed: Mapping[str, str] | None = None) -> None:
    """Change a definition as the account at the desk, if it is still the one that the form was made from.

    Raises
    ------
    UsageError : there is no reason, values do not fit, or another change or an edit came between.
    """
    if request.form.get("seen") != definition_mark(old):
        raise changed_meanwhile(old)
    with staff_connection(read_reason()) as connection:
        if not renamed:
            require_fit(connection, old, new)
        change_layer(connection, old, new, renamed)


def definition_mark(definition: Definition) -> str:
    """Return what tells one state of a definition from all others."""
    return hashlib.sha256(orjson.dumps(definition.to_json(), option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def read_reason() -> str:
    """Return the reason that the form gives.

    Raises
    ------
    UsageError : it gives none.
    """
    reason = request.form.get("reason", "").strip()[:MOST_REASON_LETTERS]
    if not reason:
        raise UsageError("The reason is missing.", "Say why, for those who look at the history later.")
    return reason


def error_parts(error: UsageError | None) -> dict[str, Any]:
    """Return what a page needs to tell an error."""
    return {"error": error, "misfits": error.misfits if isinstance(error, MisfitError) else ()}


def _wanted(definition: Definition) -> tuple[Definition, dict[str, str]]:
    form, action = request.form, request.form.get("action", "")
    name = form.get("attribute", "")
    if action == "add":
        return reshaping.add_attribute(definition, parse_attribute(read_new(form), form.get("name", ""))), {}
    if action == "rename":
        new_name = form.get("new_name", "").strip()
        return reshaping.rename_attribute(definition, name, new_name), {name: new_name}
    if action == "retire":
        return reshaping.retire_attribute(definition, name), {}
    if action == "restore":
        return reshaping.restore_attribute(definition, name), {}
    found = next((attribute for attribute in definition.attributes if attribute.name == name), None)
    if found is None:
        raise reshaping.ReshapeRefusedError("unknown", definition, name)
    rules = read_rules(form, found.type)
    # The page asks for two languages; a third that is there stays.
    rules["label"] = {**found.label, **rules["label"]}
    return reshaping.change_attribute(definition, name, rules), {}


def _wanted_settings(definition: Definition, action: str) -> Definition:
    form = request.form
    if action in ("retire", "restore"):
        return reshaping.change_settings(definition, {"is_retired": action == "retire"})
    texts = {language: form.get(f"title_{language}", "").strip() for language in ("ja", "en", "ja-x-easy")}
    if not texts["ja"]:
        raise UsageError("The layer has no title.", "Say what people are to read.")
    texts["en"] = texts["en"] or texts["ja"]
    changes = {
        "title": {language: words for language, words in texts.items() if words},
        "source": form.get("source", "").strip(),
        "licence": form.get("licence", "").strip(),
        "visibility": form.get("visibility", definition.visibility),
        "key": form.get("key", ""),
    }
    return reshaping.change_settings(definition, changes)


def _attributes_page(definition: Definition, rights: LayerRights, error: UsageError | None = None) -> str:
    return render_template(
        "staff/layer_attributes.html",
        layer=definition,
        rights=rights,
        seen=definition_mark(definition),
        types=list(POSTGRES_TYPES),
        code_lists=code_lists(),
        own_codes=OWN_CODES,
        own_text=own_codes_text,
        is_fixed=reshaping.is_fixed,
        given=request.form if error else {},
        most_reason_letters=MOST_REASON_LETTERS,
        **error_parts(error),
    )


def _settings_page(
    definition: Definition,
    rights: LayerRights,
    error: UsageError | None = None,
    *,
    wanted: Definition | None = None,
    asks: bool = False,
) -> str:
    shown = wanted or definition
    with staff_connection() as connection:
        query = text("SELECT shipped IS NOT NULL FROM gis.layer WHERE name = :name")
        is_shipped = bool(connection.execute(query, {"name": definition.name}).scalar())
    return render_template(
        "staff/layer_settings.html",
        layer=replace(shown, is_retired=definition.is_retired),
        rights=rights,
        seen=definition_mark(definition),
        keys=[one for one in definition.table_attributes if one.type == "text"],
        asks=asks,
        is_shipped=is_shipped,
        reason=request.form.get("reason", ""),
        most_reason_letters=MOST_REASON_LETTERS,
        **error_parts(error),
    )
