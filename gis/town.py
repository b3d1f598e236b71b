"""The town this installation serves: its names, codes, extent and plane."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from gis.settings import DATA_DIR


@dataclass(frozen=True)
class Town:
    """One municipality.

    Attributes
    ----------
    code : 全国地方公共団体コード without check digit, five digits as text.
    plane_epsg : EPSG code of the plane rectangular zone in metres (平面直角座標系).
    center : (lon, lat) in degrees, JGD2011.
    bbox : (min lon, min lat, max lon, max lat) in degrees; a position outside is suspect.
    neighbours : names of the municipalities around, so that an address in one of them is not taken for ours.
    part_codes : five digits each, of its wards if it has any; two digits = a whole prefecture.
    jma_city, jma_quake_area, jma_tsunami_area, jma_prefecture, jma_primary_area : codes by which JMA's telegrams
        name the town, or the area around it.
    jma_rivers : parts of the names of the flood forecast regions whose water can reach the town.
    jma_follow_up_quake : whether the town takes care on 北海道・三陸沖後発地震注意情報.
    """

    code: str
    code_with_check_digit: str
    name_ja: str
    name_easy: str
    name_en: str
    prefecture_ja: str
    prefecture_en: str
    plane_epsg: int
    center: tuple[float, float]
    bbox: tuple[float, float, float, float]
    jma_city: str
    jma_quake_area: str
    jma_tsunami_area: str
    jma_prefecture: str
    jma_primary_area: str
    jma_rivers: tuple[str, ...]
    jma_follow_up_quake: bool
    part_codes: tuple[str, ...] = ()
    neighbours: tuple[str, ...] = ()

    def name(self, language: str) -> str:
        """Return the town's name in one of `gis.languages.LANGUAGES`."""
        return {"ja": self.name_ja, "ja-x-easy": self.name_easy, "en": self.name_en}[language]


@cache
def load_town() -> Town:
    """Read `data/town.toml`."""
    values = tomllib.loads((DATA_DIR / "town.toml").read_text(encoding="utf-8"))
    jma = values.pop("jma")
    jma["rivers"] = tuple(jma["rivers"])
    values["center"] = tuple(values["center"])
    values["bbox"] = tuple(values["bbox"])
    values["part_codes"] = tuple(values.get("part_codes", ()))
    values["neighbours"] = tuple(values.get("neighbours", ()))
    return Town(**values, **{f"jma_{name}": code for name, code in jma.items()})
