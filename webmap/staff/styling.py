"""How a layer is drawn, changed by whoever keeps it, with a preview on the map before it is saved."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gis.errors import UsageError
from layers import reshaping
from layers.catalogue import find_shipped, summarise_layer
from layers.classing import MOST_CLASSES, Method, propose_categories, propose_ranges
from layers.definition import Definition
from layers.legend import legend
from layers.overlay import rename_attributes
from layers.refusals import NotAllowedError
from layers.style import DEEPEST_ZOOM, SYMBOLS, Style
from webmap import layer_map
from webmap.colours import load_palettes
from webmap.languages import gettext, language
from webmap.layer_tiles import style_spec
from webmap.services import services
from webmap.spoken import say_error
from webmap.staff.access import blueprint, staff_connection
from webmap.staff.keeping import (
    MOST_REASON_LETTERS,
    definition_mark,
    error_parts,
    kept_layer,
    read_reason,
    save_definition,
)
from webmap.staff.layers import middle_place
from webmap.staff.rights import LayerRights
from webmap.staff.style_form import read_style, row_title, rows_of, style_hints, with_classes


@blueprint.route("/layers/<name>/style", methods=["GET", "POST"])
def keep_style(name: str) -> str | AnyResponse | tuple[str, int]:
    """Show a layer's style as a form; propose classes, add and remove rows, save, or go back to the shipped one."""
    definition, rights = kept_layer(name)
    if request.method == "GET":
        return _page(definition, definition, rights)
    action = request.form.get("action", "")
    shown = definition
    try:
        if action == "reset":
            read_reason()
            save_definition(definition, reshaping.change_style(definition, _shipped_style(definition)))
        else:
            shown = reshaping.change_style(definition, read_style(definition, request.form))
            if action != "save":
                return _page(definition, _rearranged(shown, action), rights)
            save_definition(definition, shown)
    except NotAllowedError:
        raise
    except UsageError as error:
        return _page(definition, shown, rights, error), 400
    flash(gettext("The style is saved: map, legend and QGIS projects follow."), "done")
    return redirect(url_for("staff.keep_style", name=name), 303)


@blueprint.post("/layers/<name>/style/preview")
def preview_style(name: str) -> Response | tuple[Response, int]:
    """Answer what the map and the legend would look like by the form; nothing is saved."""
    definition, _ = kept_layer(name)
    try:
        shown = reshaping.change_style(definition, read_style(definition, request.form))
    except UsageError as error:
        return jsonify(error=say_error(error).message), 400
    entries = legend(shown, language())
    return jsonify(
        spec=style_spec(shown, language()),
        draw=[attribute.name for attribute in shown.drawn_attributes],
        legend=render_template("staff/layer_style_legend.html", legend=entries, hints=style_hints(shown, language())),
    )


def _rearranged(definition: Definition, action: str) -> Definition:
    style, form = definition.style, request.form
    verb, _, number = action.partition("-")
    if verb == "one":
        return replace(definition, style=replace(style, by="", classes=()))
    if verb == "remove" and number.isdigit():
        kept = tuple(one for n, one in enumerate(style.classes) if n != int(number))
        return replace(definition, style=replace(style, classes=kept, by=style.by if kept else ""))
    if verb == "classes":
        by, how = form.get("class_by", ""), form.get("how", "values")
        palette = load_palettes().get(form.get("palette", ""), load_palettes()["okabe_ito"])
        with staff_connection() as connection:
            if how == "values":
                classes = propose_categories(connection, definition, by)
            else:
                count = int(form["count"]) if form.get("count", "").isdigit() else 5
                classes = propose_ranges(connection, definition, by, cast("Method", how), count)
        return reshaping.change_style(definition, with_classes(style, by, classes, palette))
    return definition


def _shipped_style(definition: Definition) -> Style:
    """The file's style with attributes called as they are called now; for a layer made here, the plain one."""
    with staff_connection() as connection:
        shipped = find_shipped(connection, definition.name)
    if shipped is None:
        return Style()
    names = {one.origin: one.name for one in definition.attributes if one.origin}
    return rename_attributes(shipped, names).style


def _page(definition: Definition, shown: Definition, rights: LayerRights, error: UsageError | None = None) -> str:
    with staff_connection() as connection:
        summary = summarise_layer(connection, definition)
        start = middle_place(connection, summary)
    draw = ",".join(attribute.name for attribute in shown.drawn_attributes)
    tiles = f"/staff/tiles/{definition.name}/{{z}}/{{x}}/{{y}}.mvt?draw="
    by = shown.style.by
    rows = rows_of(shown)
    return render_template(
        "staff/layer_style.html",
        layer=shown,
        rights=rights,
        seen=definition_mark(definition),
        summary=summary,
        start=start,
        tiles=tiles,
        script=layer_map.layer_map_script(services().town, shown, tiles + draw, language()),
        assets=layer_map,
        legend=legend(shown, language()),
        hints=style_hints(shown, language()),
        rows=[(row, row_title(shown.attribute(by), row, language())) for row in rows] if by else [],
        palettes=load_palettes().values(),
        symbols=SYMBOLS,
        most_classes=MOST_CLASSES,
        deepest_zoom=DEEPEST_ZOOM,
        drawable=[one for one in shown.table_attributes if one.type not in ("date", "timestamp")],
        reason=request.form.get("reason", ""),
        most_reason_letters=MOST_REASON_LETTERS,
        **error_parts(error),
    )
