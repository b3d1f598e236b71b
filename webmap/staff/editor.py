"""The editor of a layer in the browser: the page, the features of its view, and one save as one changeset.

Everything runs under the department's role. What the role may not do, the database refuses; the page only says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
import shapely
from flask import Response, abort, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from psycopg.errors import InsufficientPrivilege
from shapely.geometry import mapping, shape
from sqlalchemy import Connection
from sqlalchemy.exc import ProgrammingError

from gis.errors import UsageError
from layers.attachment_words import load_attachment_words
from layers.catalogue import UnknownLayerError, find_layer, load_layers, may_read, summarise_layer
from layers.checking import InvalidChangesError
from layers.definition import Definition
from layers.editing import apply_changes
from layers.refusals import ChangedMeanwhileError, NotAllowedError
from layers.saved_once import Answer, KeyUsedError, StillSavingError, answer_once
from layers.shapes import merge_geometries, split_geometry
from layers.viewing import features_in_box, find_feature
from webmap import town_map
from webmap.languages import language
from webmap.services import services
from webmap.spoken import say_error
from webmap.staff.access import blueprint, staff_account, staff_connection
from webmap.staff.attachments import ACCEPTED_KINDS
from webmap.staff.editor_batch import MOST_REASON_LETTERS, BrokenBatchError, read_batch, write_outcome, write_view
from webmap.staff.editor_form import describe_layer, load_words

# What a browser draws and snaps to without stuttering.
MOST_FEATURES = 1_500
_MOST_SHAPES = 50


@blueprint.get("/layers/<name>/edit")
def edit_layer(name: str) -> str:
    """Show the editor; `?fid=` opens it at a feature."""
    words = load_words(language())
    with staff_connection() as connection:
        definition = _find_readable(connection, name)
        config = {
            "account": staff_account().name,
            "language": language(),
            "layer": describe_layer(connection, definition, language()),
            "others": _other_layers(connection, definition),
            "start": _start(connection, definition),
            "urls": {
                "features": url_for("staff.list_editor_features", name=name),
                "changes": url_for("staff.save_editor_changes", name=name),
                "shapes": url_for("staff.compute_editor_shapes", name=name),
                "changeset": url_for("staff.show_changeset", changeset_id=0).removesuffix("0"),
                "files": url_for("staff.show_attachments", name=name, fid=0),
            },
            "csrf_token": generate_csrf(),
            "most_reason_letters": MOST_REASON_LETTERS,
            "words": words,
            "attachment_words": load_attachment_words(language()),
            "attachment_kinds": ACCEPTED_KINDS,
        }
    script = town_map.small_map_script(services().town, language())
    return render_template("staff/editor.html", config=config, say=words, assets=town_map, script=script)


def answers_json(view: Callable[[str], bytes | Response]) -> Callable[[str], Response]:
    """Let a view return JSON, and tell what it raises as JSON in the reader's language, with a fitting status."""

    @wraps(view)
    def run(name: str) -> Response:
        try:
            answer = view(name)
            return answer if isinstance(answer, Response) else Response(answer, mimetype="application/json")
        except InvalidChangesError as error:
            problems = [
                {"position": problem.position, "column": problem.column, "text": problem.text(language())}
                for problem in error.problems
            ]
            return _refusal(422, "save_invalid", problems=problems)
        except NotAllowedError as error:
            return _forbidden(error.__cause__)
        except ProgrammingError as error:
            if not isinstance(error.orig, InsufficientPrivilege):
                raise
            return _forbidden(error.orig)
        except ChangedMeanwhileError:
            return _refusal(409, "save_meanwhile", conflicts=[])
        except KeyUsedError as error:
            return _refusal(422, "save_key_used", changeset=error.changeset)
        except StillSavingError:
            return _refusal(503, "save_running")
        except UnknownLayerError as error:
            return _refusal(404, "layer_gone", detail=say_error(error).message)
        except UsageError as error:
            return _refusal(400, "not_understood", detail=str(say_error(error)))

    return run


@blueprint.get("/layers/<name>/edit/features")
@answers_json
def list_editor_features(name: str) -> bytes:
    """Answer the features that touch `?bbox=west,south,east,north` (degrees), with their versions."""
    box = _read_box(request.args.get("bbox", ""))
    with staff_connection() as connection:
        return write_view(features_in_box(connection, find_layer(connection, name), box, MOST_FEATURES))


@blueprint.post("/layers/<name>/edit/changes")
@answers_json
def save_editor_changes(name: str) -> Response:
    """Apply a batch as one changeset; 409 with all three sides of every conflict, and then nothing is applied.

    The header `Idempotency-Key` tells a save from another: sent again with the same batch, it is answered again, not
    done again.
    """
    body: Any = request.get_json(silent=True)
    reason, changes = read_batch(body)
    asked = orjson.dumps([name, reason, body["changes"]], option=orjson.OPT_SORT_KEYS)
    with staff_connection(reason) as connection:

        def save() -> Answer:
            outcome = apply_changes(connection, find_layer(connection, name), changes, reason)
            return Answer(write_outcome(outcome), outcome.changeset, is_final=not outcome.conflicts)

        answer = answer_once(connection, request.headers.get("Idempotency-Key", ""), asked, save)
    return Response(answer.body, 200 if answer.is_final else 409, mimetype="application/json")


@blueprint.post("/layers/<name>/edit/shapes")
@answers_json
def compute_editor_shapes(name: str) -> bytes:
    """Split a geometry along a line, or merge several; computes only, writes nothing."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not isinstance(body.get("geometries"), list):
        raise BrokenBatchError("it must be an object with operation and geometries")
    if len(body["geometries"]) > _MOST_SHAPES:
        raise BrokenBatchError(f"it must have at most {_MOST_SHAPES} geometries")
    geometries = [_read_shape(entry) for entry in body["geometries"]]
    if body.get("operation") == "split" and len(geometries) == 1:
        made = split_geometry(geometries[0], _read_shape(body.get("blade")))
    elif body.get("operation") == "merge":
        made = [merge_geometries(geometries)]
    else:
        raise BrokenBatchError("the operation must be split, of one geometry, or merge")
    return orjson.dumps({"geometries": [mapping(geometry) for geometry in made]})


def _find_readable(connection: Connection, name: str) -> Definition:
    try:
        definition = find_layer(connection, name)
    except UnknownLayerError:
        abort(404)
    if not may_read(connection, definition):
        abort(403)
    return definition


def _other_layers(connection: Connection, definition: Definition) -> list[dict[str, Any]]:
    """The layers that can lie beneath while this one is edited; the base map is there anyway."""
    return [
        {
            "name": other.name,
            "title": other.name_in(language()),
            "color": other.style.color,
            "url": f"{'' if other.is_public else '/staff'}/tiles/{other.name}/{{z}}/{{x}}/{{y}}.mvt",
        }
        for other in load_layers(connection).values()
        if other.name != definition.name and not other.name.startswith("base_") and may_read(connection, other)
    ]


def _start(connection: Connection, definition: Definition) -> dict[str, Any]:
    """Where the map opens: at `?fid=`, else over the layer's features (west, south, east, north)."""
    fid = request.args.get("fid", type=int)
    feature = find_feature(connection, definition, fid) if fid and 0 < fid < 2**63 else None
    if feature is not None and feature.geometry is not None:
        return {"fid": feature.fid, "bounds": shapely.from_geojson(feature.geometry).bounds}
    return {"fid": None, "bounds": summarise_layer(connection, definition).extent}


def _read_box(written: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in written.split(","))
    except ValueError:
        raise BrokenBatchError("bbox must be west,south,east,north in degrees") from None
    if not all(map(math.isfinite, (west, south, east, north))) or west > east or south > north:
        raise BrokenBatchError("bbox must be west,south,east,north in degrees, in that order")
    return west, south, east, north


def _read_shape(entry: Any) -> shapely.Geometry:
    try:
        return shape(entry)
    except (shapely.errors.ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise BrokenBatchError(f"a geometry is no GeoJSON ({error})") from error


def _forbidden(error: BaseException | None) -> Response:
    """Tell a refusal of the database; a row policy says nothing, or names itself: then it is the place."""
    detail = "" if error is None else str(error).splitlines()[0]
    is_place = error is None or "row-level security" in detail
    return _refusal(403, "forbidden_place" if is_place else "forbidden_layer", detail=detail)


def _refusal(status: int, word: str, **rest: Any) -> Response:
    body = orjson.dumps({"message": load_words(language())[word], **rest})
    return Response(body, status=status, mimetype="application/json")
