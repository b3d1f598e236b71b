"""The editor's words: every one the script says is there, in each language, and none is left over."""

from __future__ import annotations

import re
import tomllib

import pytest

from gis.languages import LANGUAGES
from gis.settings import DATA_DIR, PROJECT_DIR
from webmap.staff.editor_form import load_words

SCRIPTS = sorted((PROJECT_DIR / "webmap" / "static" / "js" / "editor").glob("*.js"))
OTHERS = [
    PROJECT_DIR / "webmap" / "templates" / "staff" / "editor.html",
    PROJECT_DIR / "webmap" / "staff" / "editor.py",
]
# Keys that the script puts together: tool_<name>, conflict_<side>.
_MADE = re.compile(r"tool_\w+|conflict_(attribute|base|theirs|mine)")
_BLANK = re.compile(r"\{\w+\}")


def test_every_text_is_there_in_every_language_with_the_same_blanks() -> None:
    table = tomllib.loads((DATA_DIR / "editor.toml").read_text(encoding="utf-8"))
    for key, texts in table.items():
        assert set(texts) == set(LANGUAGES), key
        assert len({frozenset(_BLANK.findall(text)) for text in texts.values()}) <= 2, key
        for text in texts.values():
            assert set(_BLANK.findall(text)) <= set(_BLANK.findall(texts["en"])), key


def test_what_the_script_says_is_in_the_catalogue() -> None:
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    said = {key for call in re.findall(r"\bsay\(([^,)`]*)", scripts) for key in re.findall(r'"(\w+)"', call)}
    assert len(said) > 40, "the search itself must work"
    assert said <= load_words("en").keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_left_over(language: str) -> None:
    everything = "\n".join(path.read_text(encoding="utf-8") for path in [*SCRIPTS, *OTHERS])
    unused = [
        key for key in load_words(language) if not re.search(rf"[\"'.]{key}\b", everything) and not _MADE.fullmatch(key)
    ]
    assert unused == []
