"""The form of a layer that is being made: one line per attribute, read from a guess and from what a person sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gis.errors import UsageError
from gis.settings import DATA_DIR
from layers.creating import MOST_COLUMNS, finish_draft
from layers.definition import Definition
from layers.guessing import Draft

OWN_CODES = "own"
Form = Mapping[str, str]


@dataclass(frozen=True)
class Line:
    """One attribute as the form shows it.

    Attributes
    ----------
    header : the file's column, "" without a file. is_taken : False leaves it out.
    codes : "" for none, `OWN_CODES`, or the name of a list of data/codes.
    own : codes of its own, one a line: value, Japanese name, English name, with | between.
    """

    header: str = ""
    is_taken: bool = True
    name: str = ""
    ja: str = ""
    en: str = ""
    type: str = "text"
    unit: str = ""
    codes: str = ""
    own: str = ""
    required: bool = False
    personal: bool = False
    drawn: bool = False

    def to_entry(self) -> dict[str, Any]:
        """Return the attribute as a definition writes it."""
        entry: dict[str, Any] = {
            "name": self.name,
            "label": {"ja": self.ja, "en": self.en or self.ja},
            "type": self.type,
            "unit": self.unit,
            "required": self.required,
            "personal": self.personal,
            "drawn": self.drawn,
            "aliases": [self.header] if self.header else [],
        }
        if self.codes == OWN_CODES:
            entry["choices"] = [read_code(line) for line in self.own.splitlines() if line.strip()]
        elif self.codes:
            entry["code_list"] = self.codes
        return entry


@dataclass(frozen=True)
class DraftForm:
    """What the form says of the layer. `key` and `label` are names of attributes, "" for none."""

    name: str = ""
    ja: str = ""
    en: str = ""
    geometry: str = "Point"
    key: str = ""
    label: str = ""
    source: str = ""
    licence: str = ""
    is_anywhere: bool = False
    lines: tuple[Line, ...] = ()

    def definition(self, owner: str) -> Definition:
        """Return the layer that it describes, internal and of the department `owner`.

        Raises
        ------
        UsageError : something in it cannot work; names the attribute.
        """
        if not self.ja.strip():
            raise UsageError("The layer has no title.", "Say what people are to read.")
        taken = [line for line in self.lines if line.is_taken]
        # What is written beside a feature, the map must have.
        entries = [replace(line, drawn=line.drawn or line.name == self.label).to_entry() for line in taken]
        for entry in entries:
            entry["required"] = entry["required"] or entry["name"] == self.key
        draft: Draft = {
            "name": self.name,
            "title": {"ja": self.ja, "en": self.en or self.ja},
            "owner": owner,
            "geometry": self.geometry,
            "key": self.key,
            "source": self.source,
            "licence": self.licence,
            "style": {"label": self.label} if self.label else {},
            "attribute": entries,
        }
        return finish_draft(draft, is_anywhere=self.is_anywhere)


def form_of_draft(draft: Draft) -> DraftForm:
    """Return the form filled with a guess."""
    return DraftForm(
        name=draft["name"],
        ja=draft["title"]["ja"],
        en=draft["title"]["en"],
        geometry=draft["geometry"],
        key=draft["key"],
        label=draft.get("style", {}).get("label", ""),
        source=draft["source"],
        lines=tuple(_line_of(entry) for entry in draft["attribute"]),
    )


def read_form(form: Form) -> DraftForm:
    """Return the form as it was sent; missing fields are empty."""
    count = min(int(form["lines"]) if form.get("lines", "").isdigit() else 0, MOST_COLUMNS)
    texts = {name: form.get(name, "").strip() for name in ("name", "ja", "en", "key", "label", "source", "licence")}
    return DraftForm(
        **texts,
        geometry=form.get("geometry", "Point"),
        is_anywhere="is_anywhere" in form,
        lines=tuple(_read_line(form, position) for position in range(count)),
    )


def rearrange(lines: Sequence[Line], action: str) -> tuple[Line, ...]:
    """Do what a button beside the lines says: `add`, `remove-<n>`, `up-<n>` or `down-<n>`; n from 0."""
    verb, _, number = action.partition("-")
    made = list(lines)
    if verb == "add" and len(made) < MOST_COLUMNS:
        return (*made, Line())
    at = int(number) if number.isdigit() else -1
    if not 0 <= at < len(made):
        return tuple(made)
    if verb == "remove":
        del made[at]
    elif verb in ("up", "down"):
        other = at - 1 if verb == "up" else at + 1
        if 0 <= other < len(made):
            made[at], made[other] = made[other], made[at]
    return tuple(made)


def code_lists() -> list[str]:
    """Return the names of the lists of data/codes."""
    return sorted(path.stem for path in (DATA_DIR / "codes").glob("*.toml"))


def _line_of(entry: Mapping[str, Any]) -> Line:
    own = "\n".join(" | ".join((code["value"], code["ja"], code["en"])) for code in entry.get("choices", ()))
    return Line(
        header=entry["aliases"][0],
        name=entry["name"],
        ja=entry["label"]["ja"],
        en=entry["label"]["en"],
        type=entry["type"],
        unit=entry.get("unit", ""),
        codes=OWN_CODES if own else entry.get("code_list", ""),
        own=own,
        required=entry.get("required", False),
        personal=entry.get("personal", False),
        drawn=entry.get("drawn", False),
    )


def _read_line(form: Form, position: int) -> Line:
    def said(field: str) -> str:
        return form.get(f"c{position}_{field}", "").strip()

    return Line(
        # A header is compared with the file's: nothing is taken off it.
        header=form.get(f"c{position}_header", ""),
        is_taken=f"c{position}_take" in form,
        name=said("name"),
        ja=said("ja"),
        en=said("en"),
        type=said("type") or "text",
        unit=said("unit"),
        codes=said("codes"),
        own=said("own"),
        required=f"c{position}_required" in form,
        personal=f"c{position}_personal" in form,
        drawn=f"c{position}_drawn" in form,
    )


def read_code(line: str) -> dict[str, str]:
    """Return a code of a line `value | Japanese name | English name`; missing names are the one that is there."""
    value, ja, en = ([part.strip() for part in line.replace("｜", "|").split("|")] + ["", ""])[:3]
    return {"value": value, "ja": ja or value, "en": en or ja or value}
