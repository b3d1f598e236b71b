"""What a layer is: its names, owner, geometry and attributes, as a TOML file or the catalogue says it.

From a definition come the table, its history, the import's column mapping and the legend.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gis.errors import Phrase, Title, UsageError
from gis.languages import DEFAULT_LANGUAGE
from gis.settings import DATA_DIR
from layers.codes import Code, CodeList, load_code_list, parse_codes
from layers.definition_check import check_attribute, check_definition, check_drawn
from layers.style import Style, parse_style


@dataclass(frozen=True)
class Attribute:
    """One column of a layer.

    Attributes
    ----------
    name : column name. label : language tag → what people read (`ja` and `en` at least).
    type : a key of `layers.definition_check.POSTGRES_TYPES`.
    unit : of a number, as people write it: m, mm, ‰, ha, m3/d.
    code_list : name of the list of data/codes its values come from. choices : a list of its own instead.
    pattern : POSIX expression the text must match.
    minimum, maximum : bounds of a number, in `unit`.
    required : NULL and '' are refused. default : stored instead of NULL.
    personal : lives in `layers.<name>_personal`, for the owner department only.
    public : part of `open.<name>`. drawn : part of its vector tiles. indexed : sought or sorted by in large layers.
    aliases : headers by which files call it, exactly as written there.
    origin : the name under which it came into the layer, when a department has renamed it since.
    """

    name: str
    label: dict[str, str]
    type: str = "text"
    unit: str = ""
    code_list: str = ""
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False
    default: bool | str | float | None = None
    personal: bool = False
    public: bool = True
    drawn: bool = False
    indexed: bool = False
    aliases: tuple[str, ...] = ()
    choices: tuple[Code, ...] = ()
    origin: str = ""

    @property
    def codes(self) -> CodeList | None:
        """The attribute's code list, or None when any value may stand in it."""
        if self.choices:
            return CodeList(self.name, self.choices)
        return load_code_list(self.code_list) if self.code_list else None

    def title(self, language: str) -> str:
        """Return the label in `language`, or the Japanese one."""
        return self.label.get(language) or self.label[DEFAULT_LANGUAGE]

    def to_entry(self) -> dict[str, Any]:
        """Return the attribute as the catalogue stores it; `parse_attribute` reads it back."""
        values = {name: value for name, value in asdict(self).items() if value is not None}
        return values | {"choices": [code.to_entry() for code in self.choices]}


@dataclass(frozen=True)
class Definition:
    """One layer.

    Attributes
    ----------
    name : table name. title : language tag → name (`ja` and `en` at least).
    owner : department whose role edits it (data/departments.toml).
    geometry : Point, MultiPoint, MultiLineString, MultiPolygon or Geometry (any of them).
    is_geometry_required : a feature without a position is refused.
    visibility : `public` (views in the schema `open`) or `internal`.
    key : the text attribute that tells a feature from all others, "" = none.
    source, licence : where its features come from and on what terms.
    extent : `town` refuses imported positions outside the town's surroundings, `anywhere` does not.
    is_deletable : False: no role may delete features. is_service_edited : `machimori_service` writes it.
    writer_role : the role (gis.rights) that a person needs to write it at all, "" = whoever edits for the department.
    open_when : attribute → value that a feature must have to be in the views of the schema `open`.
    drawn_when : attribute → values of which a feature must have one to be drawn on the map; what is over need not be.
    placeholders : numbers by which its files say "unknown" (999.99 in a sewer ledger): NULL, in every number attribute.
    style : how the map and the legend draw it.
    retired : attributes taken out of use: their columns and values stay, in the table and in the history, but no form,
        view, tile, export or project has them.
    relied_on : attributes that pages or programs read by name: they are neither renamed nor retired.
    is_retired : the whole layer is taken out of use: kept, not shown.
    """

    name: str
    title: dict[str, str]
    owner: str
    geometry: str
    attributes: tuple[Attribute, ...]
    is_geometry_required: bool = True
    visibility: str = "internal"
    key: str = ""
    source: str = ""
    licence: str = ""
    extent: str = "town"
    is_deletable: bool = True
    is_service_edited: bool = False
    writer_role: str = ""
    open_when: dict[str, str] = field(default_factory=dict)
    drawn_when: dict[str, tuple[str, ...]] = field(default_factory=dict)
    placeholders: tuple[float, ...] = ()
    style: Style = field(default_factory=Style)
    retired: tuple[Attribute, ...] = ()
    is_retired: bool = False
    relied_on: tuple[str, ...] = ()

    @property
    def is_public(self) -> bool:
        """Whether citizens see the layer."""
        return self.visibility == "public" and not self.is_retired

    @property
    def owner_role(self) -> str:
        """The PostgreSQL role of the owner department."""
        return f"dept_{self.owner}"

    @property
    def table_attributes(self) -> tuple[Attribute, ...]:
        """The attributes of `layers.<name>`: all that are not personal."""
        return tuple(attribute for attribute in self.attributes if not attribute.personal)

    @property
    def personal_attributes(self) -> tuple[Attribute, ...]:
        """The attributes of `layers.<name>_personal`."""
        return tuple(attribute for attribute in self.attributes if attribute.personal)

    @property
    def kept_attributes(self) -> tuple[Attribute, ...]:
        """Every attribute that has a column, those out of use, too."""
        return self.attributes + self.retired

    @property
    def has_personal_table(self) -> bool:
        """Whether there is a `layers.<name>_personal`, be it only for attributes out of use."""
        return any(attribute.personal for attribute in self.kept_attributes)

    @property
    def drawn_attributes(self) -> tuple[Attribute, ...]:
        """The attributes that the map draws."""
        return tuple(attribute for attribute in self.table_attributes if attribute.drawn)

    @property
    def public_attributes(self) -> tuple[Attribute, ...]:
        """The attributes that citizens may read."""
        return tuple(attribute for attribute in self.table_attributes if attribute.public)

    def attribute(self, name: str) -> Attribute:
        """Return the attribute `name`; KeyError when there is none."""
        found = next((attribute for attribute in self.attributes if attribute.name == name), None)
        if found is None:
            raise KeyError(f"layer {self.name} has no attribute {name!r}")
        return found

    @property
    def heading(self) -> Title:
        """The title as an error says it, with the name."""
        return Title(self.title, self.name)

    def name_in(self, language: str) -> str:
        """Return the title in `language`, or the Japanese one."""
        return self.title.get(language) or self.title[DEFAULT_LANGUAGE]

    def to_json(self) -> dict[str, Any]:
        """Return the definition as the catalogue stores it; `parse_definition` reads it back."""
        values = asdict(self)
        del values["attributes"]
        values["attribute"] = [attribute.to_entry() for attribute in self.attributes]
        values["retired"] = [attribute.to_entry() for attribute in self.retired]
        return values


def parse_definition(values: Mapping[str, Any], where: str | Phrase) -> Definition:
    """Make a definition from a TOML document or a catalogue entry.

    Parameters
    ----------
    values : keys as the fields of `Definition`; the attributes under `attribute`.
    where : file name or the like, named by errors.

    Raises
    ------
    UsageError : a key is unknown, missing or has a wrong value; the message names `where` and the key.
    """
    rest = dict(values)
    attributes = [
        parse_attribute(
            entry, Phrase("%(where)s, attribute %(name)s", {"where": where, "name": entry.get("name", position)})
        )
        for position, entry in enumerate(rest.pop("attribute", []), 1)
    ]
    rest["retired"] = tuple(
        parse_attribute(
            entry,
            Phrase("%(where)s, retired attribute %(name)s", {"where": where, "name": entry.get("name", position)}),
        )
        for position, entry in enumerate(rest.get("retired", ()), 1)
    )
    check_definition(rest, [attribute.name for attribute in attributes], where, Definition)
    rest["style"] = parse_style(rest.get("style", {}), Phrase("%(where)s, style", {"where": where}))
    rest["drawn_when"] = {name: tuple(drawn) for name, drawn in rest.get("drawn_when", {}).items()}
    rest["placeholders"] = tuple(rest.get("placeholders", ()))
    rest["relied_on"] = tuple(rest.get("relied_on", ()))
    definition = Definition(**rest, attributes=tuple(attributes))
    check_drawn(definition.style, [attribute.name for attribute in definition.drawn_attributes], where)
    return definition


def parse_attribute(entry: Mapping[str, Any], where: str | Phrase) -> Attribute:
    """Make an attribute from one table `attribute` of a definition.

    Raises
    ------
    UsageError : a key is unknown, missing or has a wrong value; the message names `where` and the key.
    """
    check_attribute(entry, where, Attribute)
    choices = parse_codes(entry["choices"], where) if entry.get("choices") else ()
    return Attribute(**{**entry, "aliases": tuple(entry.get("aliases", ())), "choices": choices})


def load_definitions(folder: Path = DATA_DIR / "layers") -> dict[str, Definition]:
    """Read all layer definitions of a folder, by name.

    Raises
    ------
    UsageError : a file is no TOML, its name differs from the layer's, or `parse_definition` refuses it.
    """
    found = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                "%(file)s is no TOML in UTF-8: %(error)s.",
                "Mend the line that the message names.",
                file=path.name,
                error=error,
            ) from error
        definition = parse_definition(values, path.name)
        if definition.name != path.stem:
            raise UsageError(
                "%(file)s: name is %(layer)r.", "Call the file as the layer.", file=path.name, layer=definition.name
            )
        found[definition.name] = definition
    return found
