"""The map of a message's reach is for the department that sends, and has cells only."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from gis.database import Database


def test_the_desk_sees_cells_of_many_and_others_see_nothing(
    warned_town: Database, client: FlaskClient, log_in: Callable[[str], FlaskClient], owner: Engine
) -> None:
    with owner.begin() as connection:
        alert_id = int(connection.execute(text("SELECT max(alert_id) FROM alerts.delivery")).scalar_one())
        people = connection.execute(
            text("SELECT count(DISTINCT subscriber_id) FROM alerts.delivery WHERE alert_id = :id"), {"id": alert_id}
        ).scalar_one()
    path = f"/staff/alerts/{alert_id}/reach.geojson"
    hanako = log_in("hanako")
    found = hanako.get(f"{path}?lang=en").get_json()
    cells = [feature["properties"] for feature in found["features"]]
    assert cells and all(set(cell) == {"code", "people", "missing", "name", "look"} for cell in cells)
    assert all(cell["people"] >= 5 and cell["people"] % 5 == cell["missing"] % 5 == 0 for cell in cells)
    assert sum(cell["people"] for cell in cells) + found["elsewhere"] <= people
    page = hanako.get(f"/staff/alerts/{alert_id}?lang=en").text
    assert path in page and f'<th scope="row">{cells[0]["code"]}</th>' in page
    assert client.get(path).status_code == 302, "to the login"
    assert log_in("saburo").get(path).status_code == 403
    assert hanako.get("/staff/alerts/999999/reach.geojson").status_code == 404
