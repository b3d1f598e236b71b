"""Where the people are whom a message goes to, and where it has not arrived: cells of 500 m, never a single person.

A cell with fewer than five people is not shown, only their number in sum; if that sum were below five, the smallest
cells go with them. Numbers of a cell are rounded down to fives, so that one more recipient or one more mail that
arrives changes nothing but where a five is full; then two readings tell of a cell of at least five, no more.
Role: `dept_disaster`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from gis.queries import load_queries

_QUERIES = load_queries(__file__)
FEWEST_IN_CELL = 5


@dataclass(frozen=True)
class Cell:
    """One cell of a 2分の1地域メッシュ (JIS X 0410).

    Attributes
    ----------
    northing, easting : of its south-west corner: 15″ of latitude, and 22.5″ of longitude from 100° E.
    people, missing : whom the message goes to, and who of them has it not, or not yet; rounded down to fives.
    """

    northing: int
    easting: int
    people: int
    missing: int

    @property
    def code(self) -> str:
        """The nine digits of the cell."""
        north, east = self.northing, self.easting
        return (
            f"{north // 160}{east // 160}{north % 160 // 20}{east % 160 // 20}{north % 20 // 2}{east % 20 // 2}"
            f"{north % 2 * 2 + east % 2 + 1}"
        )

    @property
    def ring(self) -> list[list[float]]:
        """The corners as a closed ring of lon/lat in degrees."""
        south, west = self.northing / 240, 100 + self.easting / 160
        north, east = south + 1 / 240, west + 1 / 160
        corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        return [[round(lon, 7), round(lat, 7)] for lon, lat in corners]


@dataclass(frozen=True)
class Reach:
    """The cells that may be shown, most people first, and how many people are in none of them."""

    cells: list[Cell]
    elsewhere: int


def read_reach(connection: Connection, alert_id: int) -> Reach:
    """Count the recipients of an alert by cell, one place for each person; nothing before it is approved.

    The place is the one by which the message concerns the person: the first one inside the area, or the first one at
    all of who is told because of an earlier message. It is where it was when the recipients were frozen.
    """
    rows = connection.execute(_QUERIES["reach_cells"], {"alert_id": alert_id}).all()
    shown = sorted(
        (row for row in rows if row.northing is not None and row.people >= FEWEST_IN_CELL),
        key=lambda row: (-row.people, row.northing, row.easting),
    )
    elsewhere = sum(row.people for row in rows) - sum(row.people for row in shown)
    while shown and 0 < elsewhere < FEWEST_IN_CELL:
        elsewhere += shown.pop().people
    return Reach([Cell(row.northing, row.easting, _fives(row.people), _fives(row.missing)) for row in shown], elsewhere)


def _fives(number: int) -> int:
    return number - number % FEWEST_IN_CELL
