"""What a person says about a file they sent: which table, encoding, columns and reference system; and what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import shapely

from gis.errors import UsageError
from layers.guessing import looks_swapped
from layers.reading import SHEET_SUFFIXES, FeatureFile, Reading, read_features
from layers.rows import Rejection, TypedRow
from layers.sheets import read_records
from webmap.uploads import Upload

_SHOWN_ROWS = 5
_SHOWN_REJECTIONS = 30
_MOST_PREVIEW_LETTERS = 400_000
_PREVIEW_TOLERANCE_DEG = 0.00002


@dataclass(frozen=True)
class FileForm:
    """How a file is to be read, as a form says it. `choice` is a file and a table of it."""

    choice: tuple[str, str]
    reading: Reading
    crs: str = ""

    @property
    def signature(self) -> str:
        """What the columns depend on: when it changes, they are guessed anew."""
        read = self.reading
        return "|".join((*self.choice, read.encoding, str(read.header_line), read.lon, read.lat))


@dataclass(frozen=True)
class Look:
    """What is there to see of a file. `records` are the first lines of a table, `error` says why it is not read."""

    file: FeatureFile | None
    records: Sequence[tuple[int, list[str]]]
    error: UsageError | None
    encoding: str = ""


def read_file_form(upload: Upload, choices: Sequence[tuple[str, str]], form: Mapping[str, str]) -> FileForm:
    """Return how the file is to be read; what the form does not say is left to the reader."""
    number = int(form["choice"]) if form.get("choice", "").isdigit() else 0
    choice = choices[number] if number < len(choices) else choices[0]
    is_single_text = Path(choice[0]).suffix.lower() in SHEET_SUFFIXES and not choice[0].lower().endswith(".xlsx")
    line = form.get("header_line", "")
    reading = Reading(
        table="" if is_single_text else choice[1],
        encoding=form.get("encoding", ""),
        header_line=int(line) if line.isdecimal() and len(line) < 6 else 0,
        lon=form.get("lon", ""),
        lat=form.get("lat", ""),
        is_swapped="is_swapped" in form,
    )
    return FileForm(choice, reading, form.get("crs", "").strip())


def look_into(upload: Upload, asked: FileForm, is_first: bool) -> Look:
    """Read a file as asked; the first time, positions that look swapped are swapped."""
    path = upload.file(asked.choice[0])
    records: Sequence[tuple[int, list[str]]] = ()
    encoding = asked.reading.encoding
    try:
        if path.suffix.lower() in SHEET_SUFFIXES:
            every, used = read_records(path, asked.reading)
            records, encoding = every[:_SHOWN_ROWS], used.encoding
        file = read_features(path, asked.reading)
        if is_first and looks_swapped(file):
            file = read_features(path, replace(asked.reading, is_swapped=True))
    except UsageError as error:
        return Look(None, records, error, encoding)
    return Look(file, records, None, file.reading.encoding or encoding)


def samples(file: FeatureFile, header: str) -> list[str]:
    """Return the first values of a column, for a person to see whether letters and kinds are right."""
    found = (row.values.get(header) for row in file.rows)
    values = [str(value) for value in found if value not in (None, "")]
    return [value[:40] for value in values[:3]]


def first_rejections(rejected: Sequence[Rejection]) -> Sequence[Rejection]:
    """Return as many reasons as a page shows."""
    return rejected[:_SHOWN_REJECTIONS]


def preview_shapes(rows: Sequence[TypedRow]) -> str:
    """Return features for the preview map as a GeoJSON geometry collection, degrees, as many as fit."""
    made: list[str] = []
    size = 0
    for row in rows:
        text = str(shapely.to_geojson(shapely.simplify(row.geometry, _PREVIEW_TOLERANCE_DEG)))
        size += len(text)
        if size > _MOST_PREVIEW_LETTERS and made:
            break
        made.append(text)
    return orjson.dumps({"type": "GeometryCollection", "geometries": [orjson.Fragment(text) for text in made]}).decode()
