"""The words of photos and documents beside features (`data/attachments.toml`)."""

from __future__ import annotations

import tomllib
from functools import cache

from gis.errors import UsageError
from gis.languages import DEFAULT_LANGUAGE
from gis.settings import DATA_DIR


@cache
def load_attachment_words(language: str) -> dict[str, str]:
    """Return key → text, in Japanese where the language has none."""
    table = tomllib.loads((DATA_DIR / "attachments.toml").read_text(encoding="utf-8"))
    return {key: texts.get(language) or texts[DEFAULT_LANGUAGE] for key, texts in table.items()}


class RefusedFileError(UsageError):
    """A file is not taken; `code` says what it is: a key `refused_<code>` of the words."""

    def __init__(self, code: str, limit: int = 0) -> None:
        self.code = code
        self.limit = limit
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """Return the sentence for people."""
        return load_attachment_words(language)[f"refused_{self.code}"].replace("{limit}", f"{self.limit:,}")
