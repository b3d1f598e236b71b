"""JSON that means two things, or is made to hurt, is not read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.reports import Unreadable
from ingest.strict_json import read_json

FIT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | FIT,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(FIT, inside, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_whatever_json_says_is_read_as_it_was(said):
    try:
        assert read_json(json.dumps(said).encode()) == said
    except Unreadable as error:
        assert "deeper" in str(error)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"lon": 1e999}', "too large"),
        (b'{"lon": NaN}', "NaN is no number"),
        (b'{"lon": -Infinity}', "no number"),
        (b'{"lon": ' + b"9" * 5000 + b"}", "too long"),
        (b'{"serial": 9223372036854775808}', "too long"),
        (b'{"number": "A", "number": "B"}', "stands twice"),
        (b"[" * 1_000_000, "deeper"),
        (b'{"a":' * 100_000, "deeper"),
        (b'{"name": "\\ud800"}', "half a surrogate pair"),
        (b'{"a": ["x", "\\u0000"]}', "/a/1"),
        ("{'number': '火'}".encode("cp932"), "not UTF-8"),
        (b"", "no JSON"),
        (b"\xef\xbb\xbf{}", "no JSON"),
        (b'{"a": 1} {"b": 2}', "no JSON"),
        (b"<html>503</html>", "no JSON"),
    ],
)
def test_a_trap_is_named_and_not_read(body, reason):
    with pytest.raises(Unreadable, match=reason):
        read_json(body)


def test_brackets_inside_a_text_are_no_depth():
    assert read_json(b'{"note": "' + b"[" * 50 + b'\\"{{{"}')["note"].startswith("[[")


def test_a_text_of_escaped_quotes_without_an_end_takes_no_more_time_than_it_is_long():
    with pytest.raises(Unreadable, match="no JSON"):
        read_json(b'"' + b'\\"' * 400_000)  # a scanner that begins anew at each quote would need an hour
