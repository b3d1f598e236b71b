"""A ready QGIS project: the layers a login may read, drawn and asked for as our own pages do; no password inside."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree
from pyproj import CRS, Transformer
from sqlalchemy import Connection

from gis.direct_access import ServerAddress
from gis.errors import UsageError
from gis.queries import load_queries
from gis.roles import load_departments
from gis.town import Town, load_town
from layers.catalogue import load_layers
from layers.definition import Attribute, Definition
from layers.qgis.form import form_elements
from layers.qgis.scales import scale_attributes
from layers.qgis.symbols import labeling, renderer
from layers.reference_system import STORED_EPSG

_QUERIES = load_queries(__file__)
_QGIS_VERSION = "3.22.0"  # the oldest we write for; later ones read it
_SHAPES = {"point": ("Point", "Point"), "line": ("Line", "MultiLineString"), "area": ("Polygon", "MultiPolygon")}
_SHAPES_OF = {
    "Point": ("point",), "MultiPoint": ("point",), "MultiLineString": ("line",), "MultiPolygon": ("area",),
    "Geometry": ("point", "area"),
}  # fmt: skip


@dataclass(frozen=True)
class GrantedTable:
    """A table of `layers` that the login may read.

    Attributes
    ----------
    shape : `point`, `line` or `area`; "" for the personal attributes, which have no position.
    """

    definition: Definition
    table: str
    shape: str
    is_editable: bool

    @property
    def id(self) -> str:
        """The layer's identity inside the project; QGIS replaces one of less than ten characters."""
        return f"machimori_{self.table}_{self.shape or 'table'}"

    @property
    def stored_type(self) -> str:
        """The geometry type in PostGIS; of a layer of mixed geometries, the one drawn here."""
        stored = self.definition.geometry
        return _SHAPES[self.shape][1] if stored == "Geometry" else stored

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes of this table."""
        return self.definition.table_attributes if self.shape else self.definition.personal_attributes

    @property
    def retired(self) -> tuple[str, ...]:
        """The table's columns that are out of use; QGIS reads every column and has to be told to hide them."""
        return tuple(one.name for one in self.definition.retired if one.personal != bool(self.shape))


def write_project(
    connection: Connection, path: Path, address: ServerAddress, login: str | None = None, language: str = "ja"
) -> list[str]:
    """Write a project file and return the names of its tables.

    Parameters
    ----------
    path : `.qgz`, or `.qgs` for the bare XML.
    login : whose grants decide what is in it; None: every layer, and QGIS asks who connects.
    language : of the layers' and attributes' names.

    Raises
    ------
    UsageError : another ending, no such login, a login that may read nothing, or no way to write there.
    """
    if path.suffix not in (".qgz", ".qgs"):
        raise UsageError("%(file)s is no QGIS project.", "Call it FILE.qgz.", file=path.name)
    tables = granted_tables(connection, login)
    body = etree.tostring(
        _project(tables, address, login, language), xml_declaration=True, encoding="UTF-8", pretty_print=True
    )
    try:
        if path.suffix == ".qgs":
            path.write_bytes(body)
        else:
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(f"{path.stem}.qgs", body)
    except OSError as error:
        raise UsageError(
            "%(path)s cannot be written: %(error)s", "Check the folder and the free space.", path=path, error=error
        ) from error
    return [table.table for table in tables]


def granted_tables(connection: Connection, login: str | None) -> list[GrantedTable]:
    """Return what a login may read, in the order of drawing: points before lines before areas.

    Raises
    ------
    UsageError : no such login, or it may read nothing.
    """
    definitions = load_layers(connection)
    if login is not None and not connection.execute(_QUERIES["find_role"], {"login": login}).scalar():
        raise UsageError(
            "There is no login %(login)r to the database.",
            "Make it: ./machimori user db-login %(login)s --department …",
            login=login,
        )
    rights = {row.table_name: row for row in connection.execute(_QUERIES["granted"], {"login": login})}
    found = []
    for definition in definitions.values():
        if definition.is_retired:
            continue
        for table, shapes in (
            (definition.name, _SHAPES_OF[definition.geometry]),
            (f"{definition.name}_personal", ("",) if definition.personal_attributes else ()),
        ):
            # A layer being made by somebody else may not have its table yet.
            if table in rights and rights[table].may_read:
                found += [GrantedTable(definition, table, shape, rights[table].may_edit) for shape in shapes]
    if not found:
        raise UsageError("The login %(login)r may read no layer.", "See ./machimori user db-logins", login=login)
    offices = [department.name for department in load_departments()]
    order = ["", *_SHAPES]
    return sorted(found, key=lambda t: (order.index(t.shape), offices.index(t.definition.owner), t.table))


def _project(tables: Sequence[GrantedTable], address: ServerAddress, login: str | None, language: str) -> Any:
    town = load_town()
    project = etree.Element("qgis", version=_QGIS_VERSION, projectname=town.name(language))
    etree.SubElement(project, "title").text = town.name(language)
    # Automatic transactions would hold the rows that somebody edits, and everybody else would wait for them.
    etree.SubElement(project, "autotransaction", active="0")
    etree.SubElement(project, "evaluateDefaultValues", active="0")
    _crs(etree.SubElement(project, "projectCrs"), town.plane_epsg)
    reference = etree.SubElement(etree.SubElement(project, "properties"), "SpatialRefSys")
    etree.SubElement(reference, "ProjectionsEnabled", type="int").text = "1"
    project.append(_tree(tables, language))
    _view(project, town)
    layers = etree.SubElement(project, "projectlayers")
    for table in tables:
        layers.append(_map_layer(table, address, login, language, town))
    return project


def _tree(tables: Sequence[GrantedTable], language: str) -> Any:
    """Return the layer tree, a group per department. Drawing has an order of its own, so no area hides a point."""
    root = etree.Element("layer-tree-group")
    for department in load_departments():
        mine = [table for table in tables if table.definition.owner == department.name]
        if mine:
            title = department.title_en if language == "en" else department.title_ja
            group = etree.SubElement(root, "layer-tree-group", name=title, checked="Qt::Checked", expanded="0")
            for table in mine:
                etree.SubElement(
                    group, "layer-tree-layer", id=table.id, name=_title(table, language), checked="Qt::Checked",
                    expanded="0", providerKey="postgres",
                )  # fmt: skip
    custom = etree.SubElement(root, "custom-order", enabled="1")
    for table in tables:
        if table.shape:
            etree.SubElement(custom, "item").text = table.id
    return root


def _view(project: Any, town: Town) -> None:
    """Let QGIS open on the town, in its plane system (metres)."""
    west, south, east, north = town.bbox
    to_plane = Transformer.from_crs(STORED_EPSG, town.plane_epsg, always_xy=True)
    xmin, ymin, xmax, ymax = (f"{value:.1f}" for value in to_plane.transform_bounds(west, south, east, north))
    canvas = etree.SubElement(project, "mapcanvas", name="theMapCanvas")
    etree.SubElement(canvas, "units").text = "meters"
    extent = etree.SubElement(canvas, "extent")
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), (xmin, ymin, xmax, ymax), strict=True):
        etree.SubElement(extent, name).text = value
    _crs(etree.SubElement(canvas, "destinationsrs"), town.plane_epsg)
    settings = etree.SubElement(project, "ProjectViewSettings", UseProjectScales="0", rotation="0")
    view = etree.SubElement(settings, "DefaultViewExtent", xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax)
    _crs(view, town.plane_epsg)


def _map_layer(table: GrantedTable, address: ServerAddress, login: str | None, language: str, town: Town) -> Any:
    definition = table.definition
    has_label = bool(table.shape and definition.style.label)
    geometry, wkb_type = (_SHAPES[table.shape][0], table.stored_type) if table.shape else ("No geometry", "NoGeometry")
    scales = scale_attributes(definition.style, town) if table.shape else {"hasScaleBasedVisibilityFlag": "0"}
    layer = etree.Element(
        "maplayer", type="vector", geometry=geometry, wkbType=wkb_type, labelsEnabled=str(int(has_label)),
        readOnly=str(int(not table.is_editable)), **scales,
    )  # fmt: skip
    for name, text in (
        ("id", table.id),
        ("datasource", _source(table, address, login)),
        ("layername", _title(table, language)),
        ("abstract", " / ".join(filter(None, (definition.source, definition.licence)))),
    ):
        etree.SubElement(layer, name).text = text
    if table.shape:
        _crs(etree.SubElement(layer, "srs"), STORED_EPSG)
    etree.SubElement(layer, "provider", encoding="").text = "postgres"
    if table.shape:
        layer.append(renderer(definition, language, table.shape))
    if has_label:
        layer.append(labeling(definition))
    layer.extend(form_elements(table.attributes, definition.key, language, retired=table.retired))
    return layer


def _source(table: GrantedTable, address: ServerAddress, login: str | None) -> str:
    return " ".join(_source_parts(table, address, login))


def _source_parts(table: GrantedTable, address: ServerAddress, login: str | None) -> Iterator[str]:
    yield f"dbname='{address.database}' host={address.host} port={address.port}"
    if login is not None:
        yield f"user='{login}'"
    yield "key='fid' checkPrimaryKeyUnicity='0'"
    if not table.shape:
        yield f'table="layers"."{table.table}"'
        return
    yield f'srid={STORED_EPSG} type={table.stored_type} table="layers"."{table.table}" (geom)'


def _title(table: GrantedTable, language: str) -> str:
    title = table.definition.name_in(language)
    if not table.shape:
        return f"{title} ({'personal data' if language == 'en' else '個人情報'})"
    if table.definition.geometry == "Geometry":
        return f"{title} ({_SHAPES[table.shape][0]})"
    return title


def _crs(parent: Any, epsg: int) -> None:
    system = CRS.from_epsg(epsg)
    element = etree.SubElement(parent, "spatialrefsys")
    for name, text in (
        ("wkt", system.to_wkt("WKT2_2019")),
        ("srid", str(epsg)),
        ("authid", f"EPSG:{epsg}"),
        ("description", system.name),
        ("geographicflag", str(system.is_geographic).lower()),
    ):
        etree.SubElement(element, name).text = text
