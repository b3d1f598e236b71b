"""The document for relaying systems: valid against its schema in every phase, and a drill says that it is one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from lxml import etree

from alerts.drafting import answer_alert
from alerts.l_alert import NAMESPACE, render_l_alert
from gis.errors import UsageError
from gis.settings import PROJECT_DIR, Settings
from gis.town import load_town
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown
from tests.alerts.test_drafting import send as send_written
from tests.alerts.test_drafting import write

Considered = Callable[..., int | None]
SCHEMA = etree.XMLSchema(etree.parse(PROJECT_DIR / "data" / "l_alert.xsd"))


@pytest.fixture
def render(town: SquareTown, settings: Settings) -> Callable[[int | None], dict[str, str]]:
    """Return the leaves of a message's document, which is valid, by name; of several the first."""

    def run(alert_id: int | None) -> dict[str, str]:
        assert alert_id
        with town.database.begin("citizen") as connection:
            root = etree.fromstring(render_l_alert(connection, alert_id, settings))
        SCHEMA.assertValid(root)
        found: dict[str, str] = {}
        for element in root.iter():
            found.setdefault(element.tag.removeprefix(f"{{{NAMESPACE}}}"), element.text or "")
        return found

    return run


def test_every_phase_of_a_thread_is_valid_and_says_what_it_is(
    considered: Considered, render: Callable[[int | None], dict[str, str]]
) -> None:
    first = render(considered(MAJOR))
    assert (first["Status"], first["Revision"], first["Category"], first["Level"]) == ("通常", "発表", "お知らせ", "5")
    update = render(considered({**MAJOR, "height_text": "１０ｍ超"}, reported_at=FIRST + timedelta(minutes=1)))
    assert update["Revision"] == "更新" and update["References"] == first["DocumentID"]
    end = render(considered({"class": "none"}, level=0, phase="cleared", reported_at=FIRST + timedelta(minutes=2)))
    assert end["Revision"] == "解除"
    drill = render(considered(MAJOR, incident_fid=2, status="Exercise"))
    assert drill["Status"] == "訓練" and drill["Headline"].startswith("【訓練】")


def test_an_evacuation_order_has_its_phrase_and_a_draft_is_not_told(
    town: SquareTown, settings: Settings, render: Callable[[int | None], dict[str, str]]
) -> None:
    alert_id = write(town)
    with town.database.begin("citizen") as connection, pytest.raises(UsageError, match="no published alert"):
        render_l_alert(connection, alert_id, settings)
    send_written(town, alert_id)
    order = render(alert_id)
    assert order["Municipality"] == load_town().name_ja
    event = town.scalar("SELECT event FROM alerts.alert WHERE id = :id", id=alert_id)
    expected = {"evacuation.order": "避難指示", "evacuation.elderly": "高齢者等避難"}.get(str(event))
    assert order.get("Phrase") == expected and order["Category"] == ("避難情報" if expected else "お知らせ")
    with town.database.begin("dept_disaster", account="sato") as connection:
        withdrawal = answer_alert(connection, alert_id, "cancel", load_town())
    send_written(town, withdrawal)
    assert render(withdrawal)["Revision"] == "取消"
