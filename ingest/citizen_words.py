"""The words of citizens' reports, for pages and answers (`data/citizen_report_words.toml`)."""

from __future__ import annotations

import tomllib
from functools import cache

from gis.errors import UsageError
from gis.languages import DEFAULT_LANGUAGE
from gis.settings import DATA_DIR


@cache
def load_citizen_words(language: str) -> dict[str, str]:
    """Return key → text, in Japanese where the language has none."""
    table = tomllib.loads((DATA_DIR / "citizen_report_words.toml").read_text(encoding="utf-8"))
    return {key: texts.get(language) or texts[DEFAULT_LANGUAGE] for key, texts in table.items()}


class RefusedReportError(UsageError):
    """A citizen's report is not taken; `code` says why: a key `refused_<code>` of the words.

    Attributes
    ----------
    is_for_now : the same report may be taken later (a limit, a block), there is nothing to mend in it.
    """

    def __init__(self, code: str, *, is_for_now: bool = False) -> None:
        self.code = code
        self.is_for_now = is_for_now
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """Return the sentence for people."""
        return load_citizen_words(language)[f"refused_{self.code}"]
