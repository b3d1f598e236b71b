"""A refused form of the console says at the field what is wrong, leads there from the top, and keeps what was typed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.webmap.conftest import csrf_token
from tests.webmap.test_staff_alert_edit import begin, fields, quarter

__all__ = ["quarter"]
LogIn = Callable[[str], FlaskClient]


def refused_at(page: str, field: str) -> str:
    """Return the words at a field; the top leads there, and the field names them for who hears the page."""
    assert f'<a href="#{field}">' in page
    tag = re.search(rf'<(?:input|select|textarea|fieldset)[^>]*\bid="{field}"[^>]*>', page)
    assert tag and f'aria-describedby="about-{field}"' in tag[0] and 'aria-invalid="true"' in tag[0]
    words = re.search(rf'id="about-{field}">(.*?)</div>', page, re.S)
    assert words
    return words[1]


def test_a_message_that_cannot_begin_says_where(log_in: LogIn, quarter: None) -> None:
    hanako = log_in("hanako")
    for field, typed, words in (
        ("ref", {"ref": "無い町"}, "There is no quarter 無い町"),
        ("buffer_m", {"buffer_m": "三百"}, "三百 is no number of metres"),
        ("buffer_m", {"buffer_m": "99999"}, "Give metres from 0 to 50000"),
        ("kind", {"template": "message", "kind": "dragon"}, "There is no kind dragon"),
        ("template", {"template": "none"}, "Choose both"),
    ):
        hanako.get("/staff/alerts/new?lang=en")
        page = begin(hanako, **typed).text
        assert words in refused_at(page, field), typed
        if field == "buffer_m":
            assert 'value="試験町"' in page, "the rest stays as typed"


def test_a_draft_that_cannot_be_saved_says_where(log_in: LogIn, quarter: None) -> None:
    hanako = log_in("hanako")
    edit = begin(hanako).location
    saved = fields(hanako.get(f"{edit}?lang=en").text) | {"act": "save", "headline-ja": "打った見出し"}
    area = edit.replace("/edit", "/area")
    for url, field, typed, words in (
        (edit, "expires_at", {"expires_at": "2031-05-03T16:05Z"}, "is no time"),
        (edit, "onset_at", {"onset_at": "tomorrow"}, "tomorrow is no time"),
        (edit, "effective_at", {"effective_at": "2031-05-03"}, "is no time"),
        (edit, "web", {"web": "ftp://x"}, "It begins with https://"),
        (edit, "urgency", {"urgency": "Soon"}, "Soon is no urgency"),
        (edit, "level", {"level": "9"}, "There is no level 9"),
        (area, "ref", {"act": "add", "ref": "無い町"}, "There is no quarter"),
        (area, "ref", {"act": "add", "ref": ""}, "Name a quarter, or draw an area."),
        (area, "buffer_m", {"act": "add", "ref": "試験町", "buffer_m": "-5"}, "Give metres from 0 to 50000"),
        (area, "drawn", {"act": "add", "source": "drawn", "drawn": "{"}, "cannot be read"),
    ):
        page = hanako.post(f"{url}?lang=en", data=saved | typed).text
        assert words in refused_at(page, field), (field, typed)
        assert "打った見出し" in page, "the rest stays as typed"
        inside = re.search(rf"<details([^>]*)>(?:(?!</details>).)*\bid=\"{field}\"", page, re.S)
        assert inside is None or "open" in inside[1], "a field with an error is not folded away"


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("valid_until", {"valid_until": "2031-05-03"}),
        ("valid_until", {"valid_until": ""}),
        ("reason", {"reason": " "}),
        ("level", {"level": "0"}),
        ("subject", {"subject": "none"}),
    ],
)
def test_a_proposal_that_cannot_stand_says_where(log_in: LogIn, field: str, typed: dict[str, str]) -> None:
    hanako = log_in("hanako")
    page = hanako.get("/staff/alerts/standing?lang=en").text
    subject = re.search(r'<option value="(\w+ \w+)"', page)
    end = re.search(r'name="valid_until"[^>]*value="([^"]+)"', page)
    assert subject and end
    whole = {
        "subject": subject[1],
        "level": "5",
        "valid_until": end[1],
        "reason": "夜間",
        "csrf_token": csrf_token(page),
    }
    answer = hanako.post("/staff/alerts/standing", data=whole | typed)
    assert answer.status_code == 400
    refused_at(answer.text, field)


def test_a_template_without_words_says_where(log_in: LogIn) -> None:
    hanako = log_in("hanako")
    page = hanako.get("/staff/alerts/templates/new?lang=en").text
    whole = fields(page) | {"title": "訓練", "headline-ja": ""}
    answer = hanako.post("/staff/alerts/templates/new", data=whole)
    assert answer.status_code == 400
    assert "Words are missing" in refused_at(answer.text, "headline-ja")
