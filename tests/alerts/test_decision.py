"""What to do about a situation, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.decision import Situation, Told, decide
from alerts.policy import Policy
from tests.alerts.alert_town import FIRST, MAJOR

AUTOMATIC = Policy("VTSE41", 5, "automatic", "automatic")
DRAFT = Policy("VTSE41", 4, "draft", "automatic")
IGNORE = Policy("VTSE51", 5, "ignore", "ignore")
LATER = FIRST + timedelta(minutes=11)
NOW = Situation(10, 1, "VTSE41", "tsunami", "Actual", "updated", 5, True, LATER, "気象庁", MAJOR)
SENT = Told(1, 5, "sent", "Alert", "issued", 5, FIRST, MAJOR, "tsunami.major_warning")
WAITING = replace(SENT, alert_id=2, state="draft")
HIGHER = {**MAJOR, "height_text": "１０ｍ超", "height_m": 10}


def test_the_first_major_warning_goes_out_by_itself() -> None:
    decision = decide(NOW, None, None, AUTOMATIC)
    assert (decision.step, decision.msg_type, decision.phase) == ("send", "Alert", "issued")


def test_a_lower_one_becomes_a_draft() -> None:
    assert decide(NOW, None, None, DRAFT).step == "draft"


def test_a_report_that_arrived_too_late_does_not_go_out_by_itself() -> None:
    assert decide(replace(NOW, is_fresh=False), None, None, AUTOMATIC).step == "draft"


def test_an_ignored_telegram_causes_nothing() -> None:
    assert decide(replace(NOW, facts=HIGHER), SENT, None, IGNORE).step == "nothing"


def test_what_says_the_same_for_the_town_causes_nothing() -> None:
    assert decide(replace(NOW, facts={**MAJOR, "magnitude_text": "Ｍ８．４"}), SENT, None, AUTOMATIC).step == "nothing"


@pytest.mark.parametrize(
    "change",
    [{"height_text": "１０ｍ"}, {"arrival_at": None, "arrival_text": "津波到達中と推測"}, {"class": "warning"}],
)
def test_a_new_height_arrival_or_class_is_an_update(change: dict[str, object]) -> None:
    decision = decide(replace(NOW, facts=MAJOR | change), SENT, None, AUTOMATIC)
    assert (decision.step, decision.msg_type, decision.phase) == ("send", "Update", "updated")


def test_an_older_situation_than_the_one_told_causes_nothing() -> None:
    late = replace(NOW, reported_at=FIRST - timedelta(minutes=1), facts=HIGHER)
    assert decide(late, SENT, None, AUTOMATIC).step == "nothing"


def test_the_same_situation_again_causes_nothing() -> None:
    assert decide(replace(NOW, id=5, reported_at=FIRST, facts=HIGHER), SENT, None, AUTOMATIC).step == "nothing"


def test_a_correction_of_the_same_minute_is_news() -> None:
    assert decide(replace(NOW, id=6, reported_at=FIRST, facts=HIGHER), SENT, None, AUTOMATIC).step == "send"


def test_the_end_of_the_warning_is_an_update_with_an_all_clear() -> None:
    over = replace(NOW, phase="cleared", level=1, facts={"class": "forecast"})
    decision = decide(over, SENT, None, Policy("VTSE41", 1, "ignore", "automatic"))
    assert (decision.step, decision.msg_type, decision.phase) == ("send", "Update", "cleared")


def test_after_the_all_clear_a_slight_sea_change_does_not_speak_again() -> None:
    cleared = replace(SENT, phase="cleared", level=1, facts={"class": "forecast"})
    quiet = replace(NOW, phase="updated", level=0, facts={"class": "none"})
    assert decide(quiet, cleared, None, Policy("VTSE41", 0, "ignore", "automatic")).step == "nothing"


def test_after_the_all_clear_a_new_warning_speaks_again() -> None:
    cleared = replace(SENT, phase="cleared", level=1, facts={"class": "forecast"})
    decision = decide(NOW, cleared, None, AUTOMATIC)
    assert (decision.step, decision.msg_type) == ("send", "Update")


def test_a_withdrawal_cancels_what_was_sent() -> None:
    decision = decide(replace(NOW, phase="withdrawn", level=0, facts={}), SENT, None, AUTOMATIC)
    assert (decision.step, decision.msg_type, decision.phase) == ("send", "Cancel", "withdrawn")


@pytest.mark.parametrize("phase", ["withdrawn", "cleared"])
def test_what_nobody_was_told_needs_no_end(phase: str) -> None:
    over = replace(NOW, phase=phase, level=0, facts={"class": "none"})
    assert decide(over, None, None, AUTOMATIC).step == "nothing"
    assert decide(over, None, WAITING, AUTOMATIC).step == "discard"


def test_a_warning_after_a_withdrawal_begins_a_new_thread() -> None:
    decision = decide(NOW, replace(SENT, msg_type="Cancel", phase="withdrawn"), None, AUTOMATIC)
    assert (decision.step, decision.msg_type) == ("send", "Alert")


def test_a_draft_takes_every_newer_fact_in() -> None:
    newer = replace(NOW, facts={**MAJOR, "magnitude_text": "Ｍ８．４"})
    assert decide(newer, None, WAITING, DRAFT).step == "draft"


def test_a_submitted_alert_is_left_alone_unless_the_citizens_would_read_something_else() -> None:
    submitted = replace(WAITING, state="submitted")
    assert decide(replace(NOW, facts={**MAJOR, "magnitude_text": "Ｍ８．４"}), None, submitted, DRAFT).step == "nothing"
    assert decide(replace(NOW, facts=HIGHER), None, submitted, DRAFT).step == "draft"


def test_a_draft_that_became_untrue_is_discarded() -> None:
    update = replace(WAITING, msg_type="Update", facts=HIGHER)
    assert decide(NOW, SENT, update, AUTOMATIC).step == "discard"


@pytest.mark.parametrize("publication", ["merged", "rejected", "held", "expired"])
def test_what_the_public_does_not_see_says_nothing_but_the_end_of_what_was_told(publication: str) -> None:
    hidden = replace(NOW, publication=publication, facts=HIGHER)
    assert decide(hidden, None, None, AUTOMATIC).step == "nothing"
    assert decide(hidden, None, WAITING, AUTOMATIC).step == "discard"
    assert decide(hidden, SENT, None, AUTOMATIC).step == "nothing"
    withdrawn = decide(replace(hidden, phase="withdrawn"), SENT, None, AUTOMATIC)
    assert (withdrawn.step, withdrawn.msg_type) == ("send", "Cancel")
