"""Keys of forms and reporters, and the proof of work: pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from gis.languages import LANGUAGES
from ingest.citizen_forms import Keys, has_proof, network_of
from ingest.citizen_policy import load_citizen_policy
from ingest.citizen_words import RefusedReportError, load_citizen_words
from ingest.citizens import check_contact

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=ZoneInfo("Asia/Tokyo"))
KEYS, POLICY = Keys("a secret"), load_citizen_policy()


def refusal(form: str, now: datetime) -> str:
    with pytest.raises(RefusedReportError) as caught:
        KEYS.open_form(form, now, POLICY)
    return caught.value.code


def test_a_form_opens_after_a_moment_and_for_a_day() -> None:
    form = KEYS.form(NOW)
    assert KEYS.open_form(form, NOW + timedelta(seconds=10), POLICY) == form.split(".")[0]
    assert refusal(form, NOW + timedelta(seconds=1)) == "fast"
    assert refusal(form, NOW + timedelta(hours=25)) == "old_form"
    assert refusal(form, NOW - timedelta(hours=1)) == "old_form", "a form from the future"


def test_a_form_that_is_not_ours_does_not_open() -> None:
    reference, seconds, mac = KEYS.form(NOW).split(".")
    later = NOW + timedelta(minutes=1)
    assert refusal(f"{reference}.{int(seconds) - 60}.{mac}", later) == "form"
    assert refusal(f"{'A' * 22}.{seconds}.{mac}", later) == "form"
    assert refusal("", later) == "form"
    assert refusal(Keys("another").form(NOW), later) == "form"


def test_a_reference_alone_is_not_the_reporters_key() -> None:
    reference = KEYS.form(NOW).split(".")[0]
    token = KEYS.token(reference)
    assert KEYS.open_token(token) == reference
    assert KEYS.open_token(reference) is None
    assert KEYS.open_token(token[:-1] + ("A" if token[-1] != "A" else "B")) is None
    assert KEYS.open_token(Keys("another").token(reference)) is None
    assert KEYS.form(NOW).split(".")[2] not in token, "a form's mac is no reporter's key"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_a_sender_is_known_by_the_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_keys_do_not_show_what_they_stand_for() -> None:
    assert "203" not in KEYS.network("203.0.113.77")
    assert KEYS.network("203.0.113.77") == KEYS.network("203.0.113.1") != Keys("another").network("203.0.113.1")
    assert KEYS.words("火事 です。") == KEYS.words("火事です。\n") != KEYS.words("火事でした。")
    assert KEYS.device("") == KEYS.contact("") == ""


def test_work_is_proven_by_one_hash_and_for_one_form_only() -> None:
    form = KEYS.form(NOW)
    proof = next(str(number) for number in count() if has_proof(form, str(number), 10))
    assert has_proof(form, proof, 10)
    others = [KEYS.form(NOW) for _ in range(20)]
    assert sum(has_proof(other, proof, 10) for other in others) < 3
    for nonsense in ("", "-1", "1e3", "９", "1" * 13):
        assert not has_proof(form, nonsense, 0)


@pytest.mark.parametrize(
    "address", ["a@b", "a b@example.jp", "a@example.jp\nBcc: x@y.jp", "<a@example.jp>", "a@-x.jp", "@x.jp"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(RefusedReportError):
        check_contact(address)


def test_addresses_of_old_telephones_are_taken() -> None:
    assert check_contact(" a..b.@docomo.ne.jp ") == "a..b.@docomo.ne.jp"
    assert check_contact("") == ""


def test_all_words_are_there_in_every_language() -> None:
    for key, text in load_citizen_words("en").items():
        blanks = {part.split("}")[0] for part in text.split("{")[1:]}
        for language in LANGUAGES:
            words = load_citizen_words(language)[key]
            assert words, (key, language)
            assert {part.split("}")[0] for part in words.split("{")[1:]} == blanks, (key, language)
    own = {"office", "headline"}  # go into the incident, which is Japanese
    for key in set(load_citizen_words("en")) - own:
        assert len({load_citizen_words(language)[key] for language in LANGUAGES}) > 1, key
