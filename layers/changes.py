"""What a person wants changed in a layer, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeAlias

from shapely.geometry.base import BaseGeometry

# Column → value, the geometry under `geom` as hexadecimal EWKB in EPSG:6668.
Values = dict[str, Any]

# What a geometry may come as: GeoJSON, (E)WKB or shapely; lon/lat in degrees of JGD2011 or WGS 84.
GeometryInput: TypeAlias = Mapping[str, Any] | bytes | BaseGeometry


class Keep(Enum):
    """The mark for "the geometry stays", since None means "without a position"."""

    GEOMETRY = "geometry"


KEEP: Final = Keep.GEOMETRY


@dataclass(frozen=True)
class Insert:
    """A new feature. Attributes left out get their default."""

    attributes: Mapping[str, Any]
    geometry: GeometryInput | None = None


@dataclass(frozen=True)
class Update:
    """New values of a feature.

    Attributes
    ----------
    base_version : the version the person saw. The version of a deletion brings the feature back (its personal
        attributes only when they are sent again; undo brings them back, too).
    attributes : only those changed. geometry : `KEEP` when it stays.
    base_personal_version : the version seen of the personal attributes, None when there were none.
    """

    fid: int
    base_version: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    geometry: GeometryInput | Keep | None = KEEP
    base_personal_version: int | None = None


@dataclass(frozen=True)
class Delete:
    """The end of a feature, of which the person saw `base_version`."""

    fid: int
    base_version: int


Change = Insert | Update | Delete


@dataclass(frozen=True)
class Conflict:
    """Two people changed the same thing differently; one of them chooses.

    To settle it, send the change again with `theirs_version` as its base version.

    Attributes
    ----------
    theirs_version, theirs_personal_version : what the database has now.
    base, theirs, mine : all values; theirs is None when they deleted the feature, mine when the person wants to.
    names : the columns in dispute (`geom` for the geometry).
    """

    fid: int
    base_version: int
    theirs_version: int
    theirs_personal_version: int | None
    base: Values
    theirs: Values | None
    mine: Values | None
    names: tuple[str, ...]


@dataclass(frozen=True)
class Merged:
    """A stale change that did not collide: what the other had changed meanwhile stayed.

    Attributes
    ----------
    theirs : columns the other had changed. mine : columns this change set.
    """

    fid: int
    base_version: int
    theirs_version: int
    theirs: tuple[str, ...]
    mine: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of a batch of changes.

    Attributes
    ----------
    changeset : its number, None when nothing was written.
    inserted : fids in the order of the inserts. updated, restored : fid → new version. deleted : fids.
    unchanged : fids whose change asked for what is so already.
    conflicts : changes that wait for a person. Nothing at all is written then, unless the rest was asked for.
    """

    changeset: int | None = None
    inserted: tuple[int, ...] = ()
    updated: Mapping[int, int] = field(default_factory=dict)
    restored: Mapping[int, int] = field(default_factory=dict)
    deleted: tuple[int, ...] = ()
    unchanged: tuple[int, ...] = ()
    merged: tuple[Merged, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
