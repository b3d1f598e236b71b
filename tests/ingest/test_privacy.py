"""The area shown of a person's incident gives nobody away: not alone, not beside its quarter, not by what it is not."""

import math
from itertools import product
from random import Random

import pytest
import shapely

from ingest.privacy import LEAST_HOUSEHOLDS, Cell, Households, choose_cell
from ingest.redaction import redact

LON, LAT = 141.2105, 38.4305
HOME = Cell.of(LON, LAT, 250)
PARENT = Cell.of(LON, LAT, 1000)


def _town(*counts, quarter=""):
    """Sixteen cells of one kilometre in rows from the south-west, or fewer; the rest are empty."""
    return Households(
        (PARENT.column * 4 + number % 4, PARENT.row * 4 + number // 4, quarter, count)
        for number, count in enumerate(counts)
    )


def _middle(cell):
    west, south, east, north = cell.bounds
    return (west + east) / 2, (south + north) / 2


def test_eight_households_in_a_cell_are_enough_for_250_m():
    lived_in = Households([(HOME.column, HOME.row, "", 8)])
    assert choose_cell(LON, LAT, 0, "", lived_in) == HOME


def test_seven_are_not_even_enough_for_a_kilometre():
    lived_in = Households([(HOME.column, HOME.row, "", 7)])
    assert choose_cell(LON, LAT, 0, "", lived_in) is None


def test_a_cell_is_not_cut_where_what_is_left_over_would_point_at_one_house():
    """Three parts of twenty and one of three: 500 m shown would mean the three."""
    lived_in = _town(20, 20, 0, 0, 20, 3)
    for number in (0, 1, 4, 5):
        place = _middle(Cell(250, PARENT.column * 4 + number % 4, PARENT.row * 4 + number // 4))
        assert choose_cell(*place, 0, "", lived_in).size == 500


def test_parts_that_are_too_empty_hide_in_each_other():
    lived_in = _town(20, 20, 0, 0, 5, 5)
    sizes = [
        choose_cell(*_middle(Cell(250, PARENT.column * 4 + x, PARENT.row * 4 + y)), 0, "", lived_in).size
        for x, y in ((0, 0), (1, 0), (0, 1), (1, 1))
    ]
    assert sizes == [250, 250, 500, 500]


def test_only_who_lives_in_the_quarter_that_is_named_counts():
    lived_in = Households([(HOME.column, HOME.row, "矢本", 7), (HOME.column, HOME.row, "赤井", 30)])
    assert choose_cell(LON, LAT, 0, "赤井", lived_in) == HOME
    assert choose_cell(LON, LAT, 0, "矢本", lived_in) is None
    assert choose_cell(LON, LAT, 0, "大字矢本・赤井", lived_in) == HOME


def test_no_area_is_finer_than_the_place_is_known():
    lived_in = _town(*[50] * 16)
    assert [choose_cell(LON, LAT, accuracy_m, "", lived_in).size for accuracy_m in (0, 150, 400)] == [250, 500, 1000]
    assert choose_cell(LON, LAT, 600, "", lived_in) is None


@pytest.mark.parametrize("seed", range(60))
def test_who_knows_all_addresses_and_the_rule_still_sees_eight_households(seed):
    """For each area that is shown: the households of all places that would show it, as far as anybody lives there."""
    random = Random(seed)
    counts = [random.choice((0, 0, 1, 3, 7, 8, 9, 20)) for _ in range(16)]
    lived_in = _town(*counts)
    behind: dict[Cell | None, int] = {}
    for number, count in enumerate(counts):
        cell = Cell(250, PARENT.column * 4 + number % 4, PARENT.row * 4 + number // 4)
        shown = choose_cell(*_middle(cell), 0, "", lived_in)
        behind[shown] = behind.get(shown, 0) + count
    for shown, households in behind.items():
        assert shown is None or households == 0 or households >= LEAST_HOUSEHOLDS, (counts, shown)
        assert shown is None or lived_in.count(shown) >= LEAST_HOUSEHOLDS


def test_every_place_of_a_cell_shows_the_same_so_many_incidents_average_to_nothing():
    lived_in = _town(*[9] * 16)
    west, south, east, north = HOME.bounds
    random = Random(1)
    shown = {choose_cell(random.uniform(west, east), random.uniform(south, north), 0, "", lived_in) for _ in range(500)}
    assert shown == {HOME}
    assert len({cell.sides_m for cell in shown}) == 1


def test_cells_cover_the_plane_once_and_their_parts_cover_them():
    for x, y in product((0.0, 1e-9, 0.5), repeat=2):
        cell = Cell.of(141 + x, 38 + y, 250)
        west, south, east, north = cell.bounds
        assert west <= 141 + x + 1e-12 and 141 + x < east and south <= 38 + y + 1e-12 and 38 + y < north
    whole = shapely.box(*PARENT.bounds)
    assert math.isclose(shapely.union_all([shapely.box(*part.bounds) for part in PARENT.parts]).area, whole.area)
    assert all(Cell.of(*_middle(part), 1000) == PARENT for part in PARENT.parts)


def test_the_mesh_is_that_of_jis_x_0410():
    """5740-1… : first mesh 57 41 begins at 38° N, 141° E; a cell of 1 km is 45″ × 30″."""
    assert Cell.of(141.0, 38.0, 1000) == Cell(1000, 141 * 80, 38 * 120)
    west, south, east, north = PARENT.bounds
    assert (round((east - west) * 3600, 6), round((north - south) * 3600, 6)) == (45, 30)


def test_an_empty_town_shows_no_cell():
    assert choose_cell(LON, LAT, 0, "", Households([])) is None


def test_redaction_is_the_same_whether_a_text_was_seen_before():
    assert redact("田中さん") == redact("田中さん")
