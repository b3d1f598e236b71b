"""What servers say, and what it means for the address."""

from __future__ import annotations

import pytest

from alerts.refusals import read_refusal


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("550 5.1.1 <a@b.jp>: Recipient address rejected: User unknown", "hard"),
        ("550 no such user", "hard"),
        ("550 Invalid recipient: <a@docomo.ne.jp> (#5.1.1)", "hard"),
        ("550 宛先のアドレスが存在しません", "hard"),
        ("553 5.1.2 host unknown", "hard"),
        ("550 5.2.1 mailbox disabled", "hard"),
        ("554 looks like spam", "policy"),
        ("550 5.7.1 user unknown to our reputation service", "policy"),
        ("550 5.7.26 not authenticated", "policy"),
        ("552 5.3.4 message too big", "policy"),
        ("552 5.2.2 mailbox full", "soft"),
        ("552 mailbox full", "soft"),
        ("452 4.2.2 over quota", "soft"),
        ("452 too many recipients, mailbox of user is full", "soft"),
        ("451 4.7.1 Greylisting in action, please come back later", "greylisted"),
        ("450 4.2.0 <a@b>: Recipient address rejected: Greylisted", "greylisted"),
        ("450 mailbox busy", "later"),
        ("451 4.3.0 out of memory", "later"),
        ("421 4.7.0 too many connections", "later"),
    ],
)
def test_a_refusal_is_understood(words: str, kind: str) -> None:
    assert read_refusal(words).kind == kind


@pytest.mark.parametrize(
    ("words", "wait_s"),
    [
        ("451 4.7.1 Greylisted", 300),
        ("450 greylisted, try again in 180 seconds", 185),
        ("451 4.7.1 greylisting: retry in 10 minutes", 605),
        ("451 greylisted, come back in 5 seconds", 60),
        ("451 greylisted for 90 minutes", 900),
    ],
)
def test_greylisting_is_answered_within_a_quarter_of_an_hour(words: str, wait_s: float) -> None:
    assert read_refusal(words).retry_in_s == wait_s


def test_what_is_full_or_busy_is_never_final() -> None:
    assert not any(read_refusal(words).is_final for words in ("552 5.2.2 full", "450 x", "451 greylisted", "421 bye"))
