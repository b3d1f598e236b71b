"""Choosing an area by the names of places, in a form that holds `parts/places.html`."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request
from sqlalchemy import Connection

from gis.errors import UsageError
from layers.areas import Area, Place, area_layers, find_area, list_places
from layers.catalogue import load_layers
from layers.definition import Definition
from webmap.languages import language

_MOST_DIGITS = 18


@dataclass(frozen=True)
class PlaceChoice:
    """What the form shows.

    Attributes
    ----------
    layers : those to choose places from. layer : the chosen one, None before that.
    places : of that layer, those whose name holds `sought`, after those that are ticked (`fids`).
    picked : what is ticked as one area, None for nothing.
    """

    layers: tuple[Definition, ...]
    layer: Definition | None
    sought: str
    places: tuple[Place, ...]
    fids: frozenset[int]
    picked: Area | None


def read_choice(connection: Connection) -> PlaceChoice:
    """Return what was chosen so far in the form that the request sends."""
    layers = tuple(sorted(area_layers(load_layers(connection)), key=lambda one: one.name_in(language())))
    layer = next((one for one in layers if one.name == request.form.get("layer_of_places")), None)
    sought, fids = request.form.get("sought", ""), _fids()
    if layer is None:
        return PlaceChoice(layers, None, sought, (), frozenset(), None)
    places = tuple(list_places(connection, layer, sought, fids))
    fids &= {place.fid for place in places}
    return PlaceChoice(layers, layer, sought, places, fids, find_area(connection, layer, fids) if fids else None)


def chosen_area(connection: Connection) -> Area:
    """Return the places that were ticked as one area.

    Raises
    ------
    UsageError : no layer was chosen, or no place of it.
    """
    layers = {one.name: one for one in area_layers(load_layers(connection))}
    layer = layers.get(request.form.get("layer_of_places", ""))
    if layer is None:
        raise UsageError("No layer of places was chosen.", "Choose a layer, show its places and tick some.")
    return find_area(connection, layer, _fids())


def _fids() -> frozenset[int]:
    """The ticks belong to the layer whose places were shown; of another they would be other places."""
    if request.form.get("layer_of_places") != request.form.get("places_shown"):
        return frozenset()
    ticked = request.form.getlist("fid")
    return frozenset(int(fid) for fid in ticked if fid.isascii() and fid.isdecimal() and len(fid) <= _MOST_DIGITS)
