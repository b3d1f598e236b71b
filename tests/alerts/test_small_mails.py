"""A warning's mail as an old phone has it: small, text first, level and place in the subject, nothing fetched."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from alerts.limits import load_limits
from alerts.templates import load_templates
from tests.alerts.alert_town import MAJOR, SquareTown
from tests.alerts.scripted_smtp import ScriptedServer

Considered = Callable[..., int | None]
Send = Callable[..., object]
# What a feature phone took as a whole before it asked to load the rest; carriers' gateways cut long ones.
_MOST_BYTES = 10_000
# Letters of a subject that a list of mails shows.
_SEEN_OF_SUBJECT = 15


@pytest.mark.parametrize("name", ["emergency", "order", "elderly", "tsunami"])
def test_of_an_office_s_own_words_the_list_of_mails_shows_level_and_place(name: str) -> None:
    for language, words in load_templates()[name].texts.items():
        seen = words["headline"].replace("{{ place }}", "大曲")[: _SEEN_OF_SUBJECT * (2 if language == "en" else 1)]
        assert "大曲" in seen and re.match(r"[【\[].*(レベル|Level|津波|Tsunami)", seen), language


@pytest.fixture
def mails(town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer) -> dict[str, bytes]:
    """The mail of a major tsunami warning in each language, to people with five places and three sites near."""
    for language in ("ja", "ja-x-easy", "en"):
        person = town.subscribe(f"{language}@machimori.example", language=language)
        for number in range(4):
            town.add_place(person, f"長い名前の場所その{number}", 141.2 + number / 1000, 38.4)
    for number in range(3):
        town.add_site(f"どこかの小学校の屋上の避難場所その{number}", 141.2 + number / 500, 38.41)
    assert send(considered(MAJOR)) == {"accepted": 3}
    return {address.split("@")[0]: content for address, content in smtp.accepted}


def _read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage) and not message.defects
    return message


def test_a_mail_is_small_and_fetches_nothing(mails: dict[str, bytes]) -> None:
    for language, content in mails.items():
        assert len(content) < _MOST_BYTES, language
        message = _read(content)
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
        html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
        assert not re.search(r"<(img|link|script|iframe|style|object)|src=|url\(|background", html), language
        links = set(re.findall(r'href="([^"]+)"', html))
        assert links and all(re.match(r"http://127\.0\.0\.1:\d+/(alerts|subscription)/", link) for link in links), links
        assert not any("?" in link and "lang=" not in link for link in links), "nothing that tells who pressed it"


def test_the_subject_says_first_how_grave_it_is_and_then_where(mails: dict[str, bytes]) -> None:
    seen = {language: str(_read(content)["Subject"]) for language, content in mails.items()}
    assert "大津波警報" in seen["ja"][:_SEEN_OF_SUBJECT] and "東松島市" in seen["ja"]
    # Its readings are long: an old phone cuts the place off, which the sender's name says, too.
    assert seen["ja-x-easy"].startswith("大津波警報") and "東松島市" in seen["ja-x-easy"]
    assert seen["en"].lower().startswith("major tsunami warning") and "Higashi-Matsushima" in seen["en"]


def test_the_text_has_no_line_that_a_narrow_screen_cannot_break(mails: dict[str, bytes]) -> None:
    """Japanese breaks anywhere; only a word without a space, and that is a link, may be longer than a line."""
    for content in mails.values():
        plain = _read(content).get_body(("plain",)).get_content()  # type: ignore[union-attr]
        words = [word for word in re.split(r"[\s　]+", plain) if word.isascii()]
        assert max((len(word) for word in words if "://" not in word), default=0) <= 20
        assert "\t" not in plain


def test_the_strict_carriers_have_a_pace_as_shipped() -> None:
    paces = load_limits().pace_of
    for domain in (
        *("docomo.ne.jp", "ezweb.ne.jp", "au.com", "uqmobile.jp"),
        *("softbank.ne.jp", "i.softbank.jp", "ymobile.ne.jp", "ymobile1.ne.jp", "t.vodafone.ne.jp"),
    ):
        assert paces[domain] in ("docomo", "au", "softbank"), domain
    assert all(pace.connections <= 10 and pace.per_second <= 100 for pace in load_limits().paces)
