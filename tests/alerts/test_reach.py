"""The reach of a message by cells of 500 m tells of no single person, not by comparing two readings either."""

from __future__ import annotations

from collections.abc import Callable

from alerts.reach import Cell, Reach, read_reach
from tests.alerts.alert_town import MAJOR, SquareTown


def test_a_cell_has_the_number_and_ring_of_the_standard() -> None:
    cell = Cell(8563, 6415, 5, 0)
    assert len(cell.code) == 9
    (west, south), (east, north) = cell.ring[0], cell.ring[2]
    assert (round(east - west, 6), round(north - south, 6)) == (round(1 / 160, 6), round(1 / 240, 6))
    # The corner of the first cell of mesh 5741: 38° north, 141° east.
    assert Cell(38 * 240, 41 * 160, 5, 0).code == "574100001"
    assert Cell(38 * 240 + 1, 41 * 160 + 1, 5, 0).code == "574100004"


def test_a_lone_recipient_is_in_no_cell_and_two_readings_do_not_tell_where(
    town: SquareTown, considered: Callable[..., int | None]
) -> None:
    def read() -> Reach:
        with town.database.begin("dept_disaster_viewer") as connection:
            return read_reach(connection, alert_id or 0)

    many = [town.subscribe(f"many{number}@town.example", 141.2003, 38.4003) for number in range(6)]
    # A second place of one of them counts nowhere.
    town.add_place(many[0], "職場", 141.23, 38.43)
    lone = town.subscribe("lone@town.example", 141.21, 38.41)
    few = [town.subscribe(f"few{number}@town.example", 141.22, 38.42) for number in range(4)]
    alert_id = considered(MAJOR)
    assert alert_id
    first = read()
    assert [(cell.people, cell.missing) for cell in first.cells] == [(5, 5)] and first.elsewhere == 5
    west, south = first.cells[0].ring[0]
    assert west <= 141.2003 < west + 1 / 160 and south <= 38.4003 < south + 1 / 240

    town.execute(
        "UPDATE alerts.place SET position = ST_Translate(position, 0.03, 0), plane = ST_Translate(plane, 2600, 0)"
    )
    assert read() == first, "who moves afterwards was warned where the place was"

    finish = "UPDATE alerts.delivery SET state = 'accepted', finished_at = now() WHERE subscriber_id = ANY(:people)"
    town.execute(finish, people=[lone])
    assert read() == first
    town.execute(finish, people=many[:1])
    assert read() == first, "one mail that arrives moves no number"
    late = town.subscribe("late@town.example", 141.2003, 38.4003)
    before = read()
    town.execute(
        "INSERT INTO alerts.delivery (alert_id, subscriber_id, address, language, cell_north, cell_east)"
        " SELECT alert_id, :late, 'late@town.example', 'ja', cell_north, cell_east FROM alerts.delivery"
        " WHERE subscriber_id = :neighbour",
        late=late, neighbour=many[0],
    )  # fmt: skip
    assert read() == before, "who comes late is not found by what changed"

    town.execute(finish, people=[*many[1:], late])
    assert [(cell.people, cell.missing) for cell in read().cells] == [(5, 0)]
    town.execute("DELETE FROM alerts.attempt")
    town.execute("DELETE FROM alerts.delivery WHERE subscriber_id = ANY(:few)", few=few)
    assert read() == Reach([], 8), "the sum of one alone would tell: the next cell goes with it"
