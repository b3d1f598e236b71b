"""What people change in a layer's definition at run time: attributes, style, titles, visibility, key.

All of it is pure: a definition goes in, another comes out; `layers.catalogue.change_layer` makes the tables follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from gis.errors import Phrase, UsageError
from layers.definition import Attribute, Definition, parse_definition
from layers.overlay import rename_attributes
from layers.style import Style

Refusal = Literal["unknown", "not_retired", "taken", "relied_on", "key", "open_when", "style", "fixed", "personal_key"]
# What may be changed of an attribute once it holds values; type and table are not among it.
CHANGEABLE = (
    *("label", "unit", "code_list", "choices", "required", "minimum", "maximum", "pattern", "default"),
    *("drawn", "public", "aliases"),
)
SETTINGS = ("title", "source", "licence", "visibility", "key", "is_retired")
# Every import and the demonstration town write them.
_RESERVED = ("source", "is_demo")
_SENTENCES: dict[Refusal, tuple[Phrase, Phrase]] = {
    "unknown": (Phrase("There is no attribute %(name)s in %(layer)s."), Phrase("Attributes are: %(known)s.")),
    "not_retired": (Phrase("The attribute %(name)s is not out of use."), Phrase("It can be used as it is.")),
    "taken": (
        Phrase("The name %(name)s is taken, perhaps by an attribute out of use."),
        Phrase("Choose another name, or take it up again."),
    ),
    "relied_on": (
        Phrase("Pages or programs read %(name)s of %(layer)s by its name."),
        Phrase("Change its label instead."),
    ),
    "key": (Phrase("%(name)s is the key of %(layer)s."), Phrase("Make another attribute the key first.")),
    "open_when": (Phrase("%(name)s decides what citizens see of %(layer)s."), Phrase("It has to stay in use.")),
    "style": (Phrase("The map draws %(layer)s by %(name)s."), Phrase("Change the style first.")),
    "fixed": (
        Phrase("%(name)s cannot be changed this way."),
        Phrase("Add a new attribute and retire the old one."),
    ),
    "personal_key": (
        Phrase("%(name)s cannot be the key of %(layer)s."),
        Phrase("The key is a text that is not personal."),
    ),
}


class ReshapeRefusedError(UsageError):
    """A change of a definition that cannot be; `code` says why, `name` of which attribute."""

    def __init__(self, code: Refusal, definition: Definition, name: str) -> None:
        known = ", ".join(attribute.name for attribute in definition.attributes)
        message, hint = _SENTENCES[code]
        super().__init__(message.template, hint.template, name=name, layer=definition.heading, known=known)
        self.code, self.name = code, name


def add_attribute(definition: Definition, attribute: Attribute) -> Definition:
    """Return the definition with one attribute more, at the end.

    Raises
    ------
    UsageError : the name is taken (also by one out of use), or the attribute cannot be.
    """
    if any(attribute.name == other.name for other in definition.kept_attributes):
        raise ReshapeRefusedError("taken", definition, attribute.name)
    return _checked(replace(definition, attributes=(*definition.attributes, attribute)))


def rename_attribute(definition: Definition, name: str, new_name: str) -> Definition:
    """Return the definition with an attribute renamed; hand `{name: new_name}` to `change_layer` with it.

    Raises
    ------
    ReshapeRefusedError : there is no such attribute, something reads it by its name, or the new name is taken.
    UsageError : the new name cannot be one.
    """
    _require_free(definition, name)
    if any(new_name == other.name for other in definition.kept_attributes):
        raise ReshapeRefusedError("taken", definition, new_name)
    return _checked(rename_attributes(definition, {name: new_name}))


def retire_attribute(definition: Definition, name: str) -> Definition:
    """Return the definition with an attribute out of use; its values stay in the table and the history.

    Raises
    ------
    ReshapeRefusedError : there is no such attribute, or key, style, views or programs need it.
    """
    attribute = _require_free(definition, name)
    if name == definition.key:
        raise ReshapeRefusedError("key", definition, name)
    if name in definition.open_when:
        raise ReshapeRefusedError("open_when", definition, name)
    if name in (definition.style.by, definition.style.label, *definition.drawn_when):
        raise ReshapeRefusedError("style", definition, name)
    rest = tuple(other for other in definition.attributes if other.name != name)
    return replace(definition, attributes=rest, retired=(*definition.retired, attribute))


def restore_attribute(definition: Definition, name: str) -> Definition:
    """Return the definition with a retired attribute in use again, at the end.

    What was saved meanwhile lacks a value, so a required one comes back as one that need not be filled.

    Raises
    ------
    ReshapeRefusedError : it is not out of use.
    """
    attribute = next((other for other in definition.retired if other.name == name), None)
    if attribute is None:
        raise ReshapeRefusedError("not_retired", definition, name)
    rest = tuple(other for other in definition.retired if other.name != name)
    back = replace(attribute, required=attribute.required and attribute.default is not None)
    return replace(definition, attributes=(*definition.attributes, back), retired=rest)


def change_attribute(definition: Definition, name: str, changes: Mapping[str, Any]) -> Definition:
    """Return the definition with other rules or words for an attribute; keys are of `CHANGEABLE`.

    Raises
    ------
    ReshapeRefusedError : there is no such attribute, or something cannot be changed.
    UsageError : a value cannot be.
    """
    attribute = _require(definition, name)
    for key, value in changes.items():
        if key not in CHANGEABLE and getattr(attribute, key, None) != value:
            raise ReshapeRefusedError("fixed", definition, key)
    wanted = replace(attribute, **changes)
    if not wanted.drawn and name in (definition.style.by, definition.style.label):
        raise ReshapeRefusedError("style", definition, name)
    return _checked(
        replace(
            definition, attributes=tuple(wanted if other is attribute else other for other in definition.attributes)
        )
    )


def change_style(definition: Definition, style: Style) -> Definition:
    """Return the definition with another style; attributes that it draws by become drawn.

    Raises
    ------
    UsageError : it draws by an attribute that is not there or personal.
    """
    names = {name for name in (style.by, style.label) if name}
    for name in names:
        if _require(definition, name).personal:
            raise ReshapeRefusedError("fixed", definition, name)
    attributes = tuple(replace(one, drawn=one.drawn or one.name in names) for one in definition.attributes)
    return _checked(replace(definition, style=style, attributes=attributes))


def change_settings(definition: Definition, changes: Mapping[str, Any]) -> Definition:
    """Return the definition with other titles, licence, source, visibility or key; keys are of `SETTINGS`.

    Raises
    ------
    ReshapeRefusedError : the key cannot be that attribute, or something cannot be changed.
    UsageError : a value cannot be.
    """
    for key, value in changes.items():
        if key not in SETTINGS:
            raise ReshapeRefusedError("fixed", definition, key)
        if key in ("visibility", "is_retired") and definition.relied_on and getattr(definition, key) != value:
            raise ReshapeRefusedError("relied_on", definition, key)
    wanted = replace(definition, **changes)
    if wanted.key:
        key_attribute = _require(wanted, wanted.key)
        if key_attribute.personal or key_attribute.type != "text":
            raise ReshapeRefusedError("personal_key", definition, wanted.key)
    return _checked(wanted)


def is_fixed(definition: Definition, name: str) -> bool:
    """Whether pages or programs read an attribute by its name, so that it is neither renamed nor retired."""
    return definition.is_service_edited or name in definition.relied_on or name in _RESERVED


def _require(definition: Definition, name: str) -> Attribute:
    found = next((attribute for attribute in definition.attributes if attribute.name == name), None)
    if found is None:
        raise ReshapeRefusedError("unknown", definition, name)
    return found


def _require_free(definition: Definition, name: str) -> Attribute:
    attribute = _require(definition, name)
    if is_fixed(definition, name):
        raise ReshapeRefusedError("relied_on", definition, name)
    return attribute


def _checked(definition: Definition) -> Definition:
    """The definition as the catalogue would read it back: whatever cannot be is refused there."""
    return parse_definition(definition.to_json(), definition.name)
