"""Code lists: the values an attribute may have, with their names in each language (`data/codes/*.toml`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gis.errors import UsageError
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
        raise UsageError(f"There is no code list {name!r} ({path.name}).", f"Known are: {known}.")
    codes = []
    for position, entry in enumerate(tomllib.loads(path.read_text(encoding="utf-8")).get("code", []), 1):
        missing = {"value", "ja", "en"} - entry.keys()
        if missing:
            raise UsageError(
                f"{path.name}: code {position} lacks {', '.join(sorted(missing))}.",
                "Give value, ja and en to each code.",
            )
        names = {language: entry[language] for language in LANGUAGES if language in entry}
        codes.append(Code(entry["value"], names, tuple(entry.get("aliases", ()))))
    if not codes:
        raise UsageError(f"{path.name} has no codes.", "Add [[code]] entries with value, ja and en.")
    return CodeList(name, tuple(codes))
