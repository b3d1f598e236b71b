"""Code lists: the values an attribute may have, with their names in each language (`data/codes/*.toml`)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gis.errors import Phrase, UsageError
from gis.languages import DEFAULT_LANGUAGE, LANGUAGES
from gis.settings import DATA_DIR


@dataclass(frozen=True)
class Code:
    """One value of a code list.

    Attributes
    ----------
    value : what the database stores.
    names : language tag → name; `ja` and `en` are always there.
    aliases : other names by which files call it.
    """

    value: str
    names: dict[str, str]
    aliases: tuple[str, ...] = ()

    def name(self, language: str) -> str:
        """Return the name in `language`, or the Japanese one where the list has no other."""
        return self.names.get(language) or self.names[DEFAULT_LANGUAGE]

    def to_entry(self) -> dict[str, Any]:
        """Return the code as a TOML file or the catalogue writes it; `parse_codes` reads it back."""
        return {"value": self.value, **self.names, **({"aliases": list(self.aliases)} if self.aliases else {})}


@dataclass(frozen=True)
class CodeList:
    """The values of one code list, in the order in which people should see them."""

    name: str
    codes: tuple[Code, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """What the database may store."""
        return tuple(code.value for code in self.codes)

    def find(self, written: str) -> str | None:
        """Return the stored value for a value, a name in any language or an alias, None when there is none."""
        for code in self.codes:
            if written == code.value or written in code.names.values() or written in code.aliases:
                return code.value
        return None


@cache
def load_code_list(name: str, folder: Path = DATA_DIR / "codes") -> CodeList:
    """Read `data/codes/<name>.toml`.

    Raises
    ------
    UsageError : there is no such list, or an entry lacks its value or one of the names `ja` and `en`.
    """
    path = folder / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(other.stem for other in folder.glob("*.toml")))
        raise UsageError(
            "There is no code list %(name)r (%(file)s).",
            "Known are: %(known)s.",
            name=name,
            file=path.name,
            known=known,
        )
    return CodeList(name, parse_codes(tomllib.loads(path.read_text(encoding="utf-8")).get("code", []), path.name))


def parse_codes(entries: Sequence[Mapping[str, Any]], where: str | Phrase) -> tuple[Code, ...]:
    """Make codes of entries with `value`, a name per language, and perhaps `aliases`.

    Raises
    ------
    UsageError : there is none, one lacks its value or one of the names `ja` and `en`, or two have the same value.
    """
    if not entries:
        raise UsageError("%(where)s has no codes.", "Give at least one code, with value, ja and en.", where=where)
    codes: list[Code] = []
    for position, entry in enumerate(entries, 1):
        missing = [key for key in ("value", "ja", "en") if not str(entry.get(key, "")).strip()]
        if missing:
            raise UsageError(
                "%(where)s: code %(position)s lacks %(missing)s.",
                "Give value, ja and en to each code.",
                where=where,
                position=position,
                missing=", ".join(missing),
            )
        if any(code.value == entry["value"] for code in codes):
            raise UsageError(
                "%(where)s: the code %(value)r stands there twice.",
                "Take one of them out.",
                where=where,
                value=entry["value"],
            )
        names = {language: entry[language] for language in LANGUAGES if language in entry}
        codes.append(Code(entry["value"], names, tuple(entry.get("aliases", ()))))
    return tuple(codes)
