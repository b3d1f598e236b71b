"""Draws the demonstration sewer network under the demonstration streets, the same on every machine.

Each connected group of streets is a sub-area (処理分区) that drains by gravity to its lowest place; pumps there
send the water along the main roads to the treatment plant.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import shapely
from shapely import Point, Polygon

from gis.settings import DATA_DIR
from layers.demonstration.drawing import Drawing, all_to_degrees, all_to_plane, multi, to_plane
from layers.demonstration.sewer_features import Ledger, describe_manholes, describe_pipes, longest_way_m, name_manholes
from layers.demonstration.sewer_graph import Graph, Place, components, street_graph
from layers.demonstration.sewer_laterals import draw_connections
from layers.demonstration.sewer_mains import lay_mains
from layers.demonstration.sewer_runs import Network, Reach, drain_streets
from layers.demonstration.town import town_plan

_LEAST_CROSSINGS = 12  # smaller groups of streets keep their septic tanks (浄化槽)
_PUMP_STATION_PERSONS = 1500
_M3_PER_MIN_AND_PERSON = 0.6 / 1440
_BASIN_REACH_M = 55.0


@cache
def sewer_plan() -> dict[str, Any]:
    """Read `data/demo/sewer.toml`."""
    return tomllib.loads((DATA_DIR / "demo" / "sewer.toml").read_text(encoding="utf-8"))


def draw_sewers(town: Mapping[str, Sequence[Drawing]]) -> dict[str, list[Drawing]]:
    """Return the features of the sewer layers by layer name, in degrees.

    Parameters
    ----------
    town : what `draw_town` drew; its roads and buildings are followed.
    """
    roads = all_to_plane(town["base_road"])
    buildings = [feature.geometry for feature in all_to_plane(town["base_building"])]
    plan = sewer_plan()
    plant = to_plane(Point(plan["plant"]["lon"], plan["plant"]["lat"]))
    streets = street_graph(road.geometry for road in roads if not road.attributes["name"])
    parts = [part for part in components(streets) if len(part) >= _LEAST_CROSSINGS]
    networks = [drain_streets(part, plan["load_persons_per_m"]) for part in parts]
    main_roads = [r.geometry for r in roads if r.attributes["name"] and r.attributes["class"] != "expressway"]
    mains = lay_mains(networks, main_roads, (round(plant.x, 3), round(plant.y, 3)))
    drawn = _describe(networks, _ledgers(parts, networks), mains)
    gravity = [pipe for pipe in drawn["sewer_pipe"] if pipe.attributes["flow"] == "gravity"]
    drawn["sewer_inlet"], drawn["sewer_lateral"] = draw_connections(buildings, gravity)
    return {layer: all_to_degrees(features) for layer, features in drawn.items()}


def _describe(
    networks: Sequence[Network], ledgers: Sequence[Ledger], mains: Sequence[Reach]
) -> dict[str, list[Drawing]]:
    drawn: dict[str, list[Drawing]] = defaultdict(list)
    names: dict[Place, str] = {}
    for network, ledger in zip(networks, ledgers, strict=True):
        name_manholes(network.reaches, ledger.prefix, names)
        drawn["sewer_pipe"] += describe_pipes(network.reaches, ledger, names)
        drawn["sewer_manhole"] += describe_manholes(network.reaches, ledger, names)
        drawn["sewer_basin"].append(_basin(network, ledger))
        drawn["sewer_facility"].append(_pumps(network, ledger))
    pumping = set(names)
    ledger = Ledger(
        prefix="M",
        treatment_area=sewer_plan()["treatment_area"],
        sub_area="",
        quarter="",
        first_year=min(other.first_year for other in ledgers),
        reach_m=longest_way_m(mains),
        flow="pressure",
    )
    name_manholes(mains, ledger.prefix, names)
    drawn["sewer_pipe"] += describe_pipes(mains, ledger, names)
    drawn["sewer_manhole"] += [
        chamber for chamber in describe_manholes(mains, ledger, names) if chamber.geometry.coords[0] not in pumping
    ]
    drawn["sewer_basin"].append(_whole_area(drawn["sewer_basin"], sum(network.persons for network in networks)))
    drawn["sewer_facility"].append(_plant(mains))
    return dict(drawn)


def _ledgers(parts: Sequence[Graph], networks: Sequence[Network]) -> list[Ledger]:
    """Name the sub-areas after the quarter they lie in; the second one of a quarter gets a number."""
    plan, town, ledgers = sewer_plan(), town_plan(), []
    middles = {q["name"]: to_plane(Point(q["lon"], q["lat"])) for q in town["quarters"]}
    seen: dict[str, int] = defaultdict(int)
    for number, (part, network) in enumerate(zip(parts, networks, strict=True), 1):
        middle = shapely.MultiPoint(list(part)).centroid
        quarter = min(middles, key=lambda name: float(middles[name].distance(middle)))
        seen[quarter] += 1
        part_name = quarter
        if seen[quarter] > 1:
            part_name = plan["later_quarter"].format(quarter=quarter, number=seen[quarter])
        ledgers.append(
            Ledger(
                prefix=f"{number:02}",
                treatment_area=plan["treatment_area"],
                sub_area=plan["sub_area"].format(label=town["label"], quarter=part_name),
                quarter=part_name,
                first_year=plan["first_year"][quarter],
                reach_m=longest_way_m(network.reaches),
                flow="gravity",
            )
        )
    return ledgers


def _basin(network: Network, ledger: Ledger) -> Drawing:
    lines = shapely.linestrings([[reach.upstream.place, reach.downstream.place] for reach in network.reaches])
    # Union of buffers: the buffer of a union takes twenty times as long.
    around = shapely.union_all(shapely.buffer(lines, _BASIN_REACH_M, quad_segs=2))
    filled = shapely.simplify(shapely.union_all([Polygon(part.exterior) for part in shapely.get_parts(around)]), 5.0)
    attributes = {
        "basin_id": ledger.prefix,
        "name": ledger.sub_area,
        "kind": "sub_area",
        "treatment_area": ledger.treatment_area,
        "drainage": "sanitary",
        "area_ha": round(filled.area / 10_000, 2),
        "population": network.persons,
    }
    return Drawing(multi(filled), attributes)


def _whole_area(basins: Sequence[Drawing], persons: int) -> Drawing:
    whole = shapely.union_all([basin.geometry for basin in basins])
    facts = {
        "basin_id": "00",
        "name": sewer_plan()["treatment_area"],
        "kind": "treatment_area",
        "area_ha": round(whole.area / 10_000, 2),
        "population": persons,
    }
    return Drawing(multi(whole), {**basins[0].attributes, **facts})


def _pumps(network: Network, ledger: Ledger) -> Drawing:
    is_station = network.persons >= _PUMP_STATION_PERSONS
    kind = "pump_station" if is_station else "manhole_pump"
    attributes = {
        "facility_id": f"F{ledger.prefix}",
        "name": sewer_plan()[kind].format(label=town_plan()["label"], quarter=ledger.quarter),
        "kind": kind,
        "treatment_area": ledger.treatment_area,
        "capacity_m3_per_day": None,
        "pump_m3_per_min": round(network.persons * _M3_PER_MIN_AND_PERSON, 2),
        "ground_m": network.root.ground_m,
    }
    return Drawing(Point(network.root.place), attributes)


def _plant(mains: Sequence[Reach]) -> Drawing:
    plan = sewer_plan()
    end = mains[0].downstream
    attributes = {
        "facility_id": "F00",
        "name": plan["plant"]["name"],
        "kind": "treatment_plant",
        "treatment_area": plan["treatment_area"],
        "capacity_m3_per_day": plan["plant"]["capacity_m3_per_day"],
        "pump_m3_per_min": None,
        "ground_m": end.ground_m,
    }
    return Drawing(Point(end.place), attributes)
