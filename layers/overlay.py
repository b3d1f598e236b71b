"""A department's changes in a layer of data/layers, laid over what the file says.

The catalogue keeps two definitions of such a layer: `shipped`, as the file gave it at the last migration, and the one
in force. What differs between them is what the department changed; everything else follows the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from layers.definition import Attribute, Definition

# Of an attribute, what people may change; name, type and the table it lives in stay as the file has them.
_FIXED = {"attributes", "retired", "name", "geometry", "owner"}


def rename_attributes(definition: Definition, renamed: Mapping[str, str]) -> Definition:
    """Return the definition with attributes called otherwise, wherever it names them.

    A name that files used stays among the attribute's aliases.
    """
    if not renamed:
        return definition

    def new(name: str) -> str:
        return renamed.get(name, name)

    attributes = tuple(_renamed(attribute, new(attribute.name)) for attribute in definition.attributes)
    style = replace(definition.style, by=new(definition.style.by), label=new(definition.style.label))
    open_when = {new(name): value for name, value in definition.open_when.items()}
    drawn_when = {new(name): values for name, values in definition.drawn_when.items()}
    return replace(
        definition,
        attributes=attributes,
        style=style,
        open_when=open_when,
        drawn_when=drawn_when,
        key=new(definition.key),
    )


def lay_over(file: Definition, shipped: Definition, stored: Definition) -> Definition:
    """Return what a layer's definition becomes when its file has changed.

    Parameters
    ----------
    file : what the file says now. shipped : what it said before. stored : what is in force.
    """
    origins = {attribute.origin or attribute.name: attribute for attribute in stored.kept_attributes}
    out_of_use = {attribute.name for attribute in stored.retired}
    before = {attribute.name: attribute for attribute in shipped.attributes}
    merged = [
        _merge(attribute, before.get(attribute.name), origins.get(attribute.name)) for attribute in file.attributes
    ]
    # Also one that the file does not have any more: what is to become of its values is not decided here.
    named = {attribute.name for attribute in file.attributes}
    merged += [attribute for origin, attribute in origins.items() if origin not in named and origin not in before]
    base = _in_words_of(file, merged)
    previous = _in_words_of(shipped, [origins.get(attribute.name, attribute) for attribute in shipped.attributes])
    changes = {
        item.name: getattr(stored, item.name)
        for item in fields(Definition)
        if item.name not in _FIXED and getattr(stored, item.name) != getattr(previous, item.name)
    }
    return replace(
        base,
        **changes,
        attributes=tuple(attribute for attribute in merged if attribute.name not in out_of_use),
        retired=tuple(attribute for attribute in merged if attribute.name in out_of_use),
    )


def _merge(file: Attribute, before: Attribute | None, stored: Attribute | None) -> Attribute:
    if stored is None:
        return file
    base = before or stored
    changes: dict[str, Any] = {
        item.name: getattr(stored, item.name)
        for item in fields(Attribute)
        if getattr(stored, item.name) != getattr(base, item.name)
    }
    if "aliases" in changes:
        changes["aliases"] = (*file.aliases, *(alias for alias in stored.aliases if alias not in base.aliases))
    return replace(file, **changes)


def _in_words_of(definition: Definition, attributes: list[Attribute]) -> Definition:
    """The definition with its attributes called as they are called now."""
    names = {attribute.origin: attribute.name for attribute in attributes if attribute.origin}
    return rename_attributes(definition, {name: names[name] for name in names})


def _renamed(attribute: Attribute, name: str) -> Attribute:
    if name == attribute.name:
        return attribute
    aliases = tuple(dict.fromkeys((*attribute.aliases, attribute.name)))
    return replace(attribute, name=name, aliases=aliases, origin=attribute.origin or attribute.name)
