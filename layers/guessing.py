"""Guesses a layer's definition from a file, as a draft for a person to correct (words in data/guessing.toml)."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from gis.errors import Phrase, UsageError
from gis.settings import DATA_DIR
from layers.codes import load_code_list
from layers.definition import Attribute, load_definitions
from layers.definition_check import HISTORY_COLUMNS, SYSTEM_COLUMNS
from layers.reading import FeatureFile, normalise
from layers.values import convert_value

# The keys of a definition as in a TOML file; the attributes under `attribute`.
Draft = dict[str, Any]

_NUMBERS = ("integer", "real")
_GUESSES = (*_NUMBERS, "date", "timestamp")
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_UNIT = re.compile(r"\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*$")
_FAMILIES = ("Point", "LineString", "Polygon")


def guess_draft(file: FeatureFile, name: str, owner: str, title: str, geometry: str) -> Draft:
    """Guess a definition: of each column but those of the position its name, label, type, unit, codes and secrecy."""
    attributes: list[dict[str, Any]] = []
    for position, header in enumerate(file.headers, 1):
        if header not in (file.reading.lon, file.reading.lat):
            attributes.append(_guess_attribute(file, header, position, [entry["name"] for entry in attributes]))
    key = next((entry for entry in attributes if _is_key(file, entry["aliases"][0])), None)
    if key:
        key |= {"type": "text", "required": True}
        for extra in ("choices", "code_list", "unit", "personal"):
            key.pop(extra, None)
    label = _guess_label([entry for entry in attributes if entry is not key])
    if label:
        label["drawn"] = True
    return {
        "name": name,
        "title": {"ja": title, "en": title},
        "owner": owner,
        "geometry": geometry,
        "key": key["name"] if key else "",
        "source": file.path.name,
        **({"style": {"label": label["name"]}} if label else {}),
        "attribute": attributes,
    }


def guess_geometry(file: FeatureFile) -> str:
    """Return the geometry type of a file's features.

    Raises
    ------
    UsageError : it mixes points, lines and areas.
    """
    found = count_geometries(file)
    families = {name.removeprefix("Multi") for name in found}
    if len(families) != 1 or not families <= set(_FAMILIES):
        raise UsageError(
            "%(file)s holds %(kinds)s; a layer has one kind of shape.",
            "Split it into a file of points, one of lines and one of areas, or say which is meant: --geometry Point.",
            file=file.path.name,
            kinds=", ".join(sorted(found)) or Phrase("no positions"),
        )
    return commonest_geometry(file)


def count_geometries(file: FeatureFile) -> Counter[str]:
    """Count a file's features by their type of geometry."""
    return Counter(
        row.geometry.geom_type for row in file.rows if row.geometry is not None and not row.geometry.is_empty
    )


def commonest_geometry(file: FeatureFile) -> str:
    """Return the type of most features, as a layer would hold it; Point when there is no position at all."""
    found = count_geometries(file)
    families = Counter[str]()
    for name, count in found.items():
        families[name.removeprefix("Multi")] += count
    family = next((name for name, _ in families.most_common() if name in _FAMILIES), "Point")
    return "Point" if family == "Point" and "MultiPoint" not in found else f"Multi{family}"


def looks_swapped(file: FeatureFile) -> bool:
    """Whether most positions have latitude before longitude: the other way round they would lie in Japan."""
    if file.crs is None or not file.crs.is_geographic:
        return False
    places = [row.geometry.bounds[:2] for row in file.rows if row.geometry is not None and not row.geometry.is_empty]
    swapped = sum(1 for x, y in places if 20 <= x <= 46 and 122 <= y <= 154)
    return swapped * 2 > len(places)


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads((DATA_DIR / "guessing.toml").read_text(encoding="utf-8"))


@cache
def _known_attributes() -> dict[str, Attribute]:
    """Attributes of the shipped layers, by every header under which files carry them."""
    known: dict[str, Attribute] = {}
    for definition in load_definitions().values():
        for attribute in definition.attributes:
            for name in (*attribute.aliases, *attribute.label.values()):
                known.setdefault(normalise(name), attribute)
    return known


def _guess_attribute(file: FeatureFile, header: str, position: int, others: Sequence[str]) -> dict[str, Any]:
    values = [row.values[header] for row in file.rows]
    plain, unit = _split_unit(header)
    known = _known_attributes().get(normalise(plain))
    if known and known.name == "name" and normalise(plain) not in _words()["title"]:
        known = None  # the name of something else: 市区町村名
    kind = _guess_type(plain, values, known)
    if unit and kind == "text":
        kind = _mostly_number(values)
    taken = {*SYSTEM_COLUMNS, *HISTORY_COLUMNS, *others}
    made: dict[str, Any] = {
        "name": _column_name(plain, position, taken, known),
        "label": {"ja": plain, "en": known.label["en"] if known and not normalise(plain).isascii() else plain},
        "type": kind,
        "aliases": [header],
    }
    if unit or (kind in _NUMBERS and known and known.unit):
        made["unit"] = unit or (known.unit if known else "")
    if any(word in normalise(plain) for word in _words()["personal"]):
        made["personal"] = True
    elif kind == "text":
        made |= _guess_codes(values, known)
    return made


def _split_unit(header: str) -> tuple[str, str]:
    """Return a header's name and unit: 口径（㎜） is 口径 in mm."""
    found = _UNIT.search(normalise(header))
    if found is None or found.group(1) not in _words()["units"]:
        return header, ""
    return re.split(r"[(（\[［]", header)[0].strip() or header, found.group(1)


def _column_name(header: str, position: int, taken: set[str], known: Attribute | None) -> str:
    plain = re.sub(r"[^a-z0-9_]+", "_", normalise(header)).strip("_")
    candidates = (plain, known.name if known else "", f"column_{position}")
    return next(name for name in candidates if _PLAIN_NAME.fullmatch(name) and name not in taken)


def _guess_type(header: str, written: Sequence[Any], known: Attribute | None) -> str:
    values = [value for value in written if value not in (None, "")]
    may_be_flags = known is not None and known.type == "boolean"
    if values and (all(isinstance(value, bool) for value in values) or set(map(str, values)) <= set(_words()["flags"])):
        return "boolean"
    if values and may_be_flags and _all_convert(values, "boolean"):
        return "boolean"
    # A code is no number even without a leading zero: others of its kind have one.
    if not values or any(word in normalise(header) for word in _words()["codes"]):
        return "text"
    if any(isinstance(value, str) and re.match(r"0\d", value.strip()) for value in values):
        return "text"
    return next((kind for kind in _GUESSES if _all_convert(values, kind)), "text")


def _mostly_number(written: Sequence[Any]) -> str:
    """What has a unit is a number, even where somebody wrote 不明: those rows are shown as mistakes."""
    values = [value for value in written if value not in (None, "")]
    numbers = [value for value in values if _all_convert([value], "real")]
    if len(numbers) * 2 < max(len(values), 1):
        return "text"
    return "integer" if _all_convert(numbers, "integer") else "real"


def _all_convert(values: Sequence[Any], kind: str) -> bool:
    attribute = Attribute("guess", {"ja": "", "en": ""}, kind)
    try:
        for value in values:
            convert_value(attribute, value)
    except ValueError:
        return False
    return True


def _guess_codes(written: Sequence[Any], known: Attribute | None) -> dict[str, Any]:
    """A shipped list that knows every value, or a list of its own when few values repeat often."""
    uses = Counter(str(value).strip() for value in written if value not in (None, ""))
    if known and known.code_list and uses and all(load_code_list(known.code_list).find(value) for value in uses):
        return {"code_list": known.code_list}
    words = _words()
    is_list = (
        2 <= len(uses) <= words["most_codes"]
        and sum(uses.values()) >= len(uses) * words["least_uses_of_a_code"]
        and all(value and len(value) <= words["most_letters_of_a_code"] and "\ufffd" not in value for value in uses)
    )
    return {"choices": [{"value": value, "ja": value, "en": value} for value in sorted(uses)]} if is_list else {}


def _is_key(file: FeatureFile, header: str) -> bool:
    values = [row.values[header] for row in file.rows]
    return normalise(header) in _words()["key"] and None not in values and len(set(map(str, values))) == len(values)


def _guess_label(attributes: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    texts = [entry for entry in attributes if entry["type"] == "text" and not entry.get("personal")]
    named = [entry for entry in texts if normalise(entry["aliases"][0]) in _words()["title"]]
    plain = [entry for entry in texts if not entry.get("choices") and not entry.get("code_list")]
    return next(iter([*named, *plain, *texts]), None)
