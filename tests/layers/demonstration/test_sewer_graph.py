"""Streets become a graph whose crossings are places."""

from __future__ import annotations

from shapely import LineString

from layers.demonstration.sewer_graph import components, cut, nearest_place, shortest_tree, street_graph


def _near(place: tuple[float, float], x: float, y: float) -> bool:
    return abs(place[0] - x) < 1.1 and abs(place[1] - y) < 1.1


def test_streets_meet_where_they_cross_and_where_one_ends_upon_another() -> None:
    graph = street_graph([LineString([(0, 0), (200, 0)]), LineString([(100, 0), (100, 90)])])
    assert len(graph) == 4
    (crossing,) = [place for place, neighbours in graph.items() if len(neighbours) == 3]
    assert _near(crossing, 100, 0)


def test_a_street_that_falls_a_hair_short_of_another_still_meets_it() -> None:
    graph = street_graph([LineString([(0, 0), (200, 0)]), LineString([(100, 1e-9), (100, 90)])])
    assert max(len(neighbours) for neighbours in graph.values()) == 3


def test_streets_that_do_not_meet_are_parts_of_their_own_the_larger_first() -> None:
    streets = [LineString([(0, 0), (100, 0)]), LineString([(0, 500), (50, 500), (100, 500)])]
    assert [len(part) for part in components(street_graph(streets))] == [3, 2]


def test_the_tree_takes_the_shortest_way() -> None:
    square = [LineString([(0, 0), (100, 0), (100, 300), (0, 300), (0, 0)])]
    graph = street_graph(square)
    root = nearest_place(graph, (0, 0))
    corner = nearest_place(graph, (100, 300))
    onward, away_m = shortest_tree(graph, root)
    assert abs(away_m[corner] - 400) < 3
    assert root not in onward
    assert onward.keys() == graph.keys() - {root}


def test_a_way_is_cut_into_equal_pieces() -> None:
    assert cut((0.0, 0.0), (90.0, 0.0), 32.0) == [(0.0, 0.0), (30.0, 0.0), (60.0, 0.0), (90.0, 0.0)]
    assert cut((0.0, 0.0), (5.0, 0.0), 32.0) == [(0.0, 0.0), (5.0, 0.0)]
