"""What goes wrong with a source is said in the reader's language, whatever of ours or theirs it was."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ingest
from gis.languages import LANGUAGES
from ingest.fault_words import _table, explain_fault

_PACKAGE = Path(ingest.__file__).parent
_TELLERS = {"Unreadable", "TransportError", "MailboxError", "Rejected", "WrongError", "RowError", "WrongCell", "Ended"}
_TELLERS |= {"ValueError", "abort", "Feature"}
# Raised for who edits a file of ours or calls a command, or caught where they are raised.
_UNTOLD = ("configuration.py", "redaction.py", "mail/times.py")
_ONLY_INNER = {"kind {}, action {}"}  # stands in "not a citizen's report: …"


def _words(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def _name(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Attribute):
        is_failures = isinstance(function.value, ast.Attribute) and function.value.attr == "failures"
        return "Ended" if is_failures else function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _told() -> Iterator[tuple[str, str]]:
    """Yield each sentence that the package can say of a failure, {} for what fills it, and where it stands."""
    for path in sorted(_PACKAGE.rglob("*.py")):
        place = str(path.relative_to(_PACKAGE))
        if place in _UNTOLD:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node) in _TELLERS:
                arguments = [*node.args, *(word.value for word in node.keywords)]
                for said in filter(None, map(_words, arguments)):
                    # A place, not a sentence: the pointer or line of a record.
                    if re.search(r"[a-z]{2} [a-z]", said) or ": " in said:
                        yield said, f"{place}:{node.lineno}"


def test_every_reason_that_the_program_gives_has_words_in_every_language() -> None:
    told = {said: place for said, place in _told() if said not in _ONLY_INNER}
    assert len(told) > 100, "the search itself must work"
    unknown = _table()["unknown"]["ja"]
    # A number fits every blank; what is itself a reason is looked up in its turn.
    filled = {said: re.sub(r"\{\}(?=$)", "the document is empty", said).replace("{}", "7") for said in told}
    lost = {
        said: place
        for said, place in told.items()
        if unknown in explain_fault(filled[said], "ja") and unknown in explain_fault(said.replace("{}", "7"), "ja")
    }
    assert lost == {}


def test_every_fault_has_words_in_each_language_and_fills_no_blank_that_it_does_not_have() -> None:
    for fault in _table()["fault"]:
        blanks = dict.fromkeys(re.findall(r"%\((\w+)\)s", fault["says"]), "x")
        for language in set(LANGUAGES) - {"en"}:
            assert fault[language] % blanks if blanks else fault[language] % {}, fault


@pytest.mark.parametrize(
    ("said", "ja"),
    [
        ("https://a.example/x: no connection: Connection refused", "接続を拒まれました"),
        ("https://a.example/x: HTTP 404; https://a.example/y: HTTP 503", "故障しています"),
        ("https://a.example/x: the document is not XML: Start tag expected; line 1", "XML として読めません"),
        ("b@mail.example:993/INBOX: error: [AUTHENTICATIONFAILED] no; never", "ユーザー名とパスワード"),
        ("KeyError: 'x'", "プログラムの誤り"),
        ("https://a.example/x: HTTP 404; something of theirs", "下の原文"),
        ("9" * 1_000_000, "下の原文"),
        ("100% of %(url)s", "下の原文"),
    ],
)
def test_a_reason_is_said_in_the_readers_language(said: str, ja: str) -> None:
    assert ja in explain_fault(said, "ja")
    assert explain_fault(said, "ja-x-easy") not in (said, explain_fault(said, "ja"))
    assert explain_fault(said, "en") == said


def test_of_several_failures_none_is_passed_over() -> None:
    said = "https://a.example/x: the body ended early; https://a.example/y: HTTP 503"
    assert [line[:6] for line in explain_fault(said, "ja").splitlines()] == ["文書が途中で", "相手のサーバ"]
