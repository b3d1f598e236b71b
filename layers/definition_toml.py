"""Writes a layer's definition as TOML, in the form of data/layers/*.toml, for a person to edit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from layers.guessing import Draft


def write_toml(draft: Draft) -> str:
    """Return a draft as TOML text (v1.0); `tomllib` and `parse_definition` read it back."""
    lines = [f"{key} = {_value(value)}" for key, value in draft.items() if key != "attribute" and value != ""]
    for attribute in draft["attribute"]:
        lines += ["", "[[attribute]]", *(f"{key} = {_value(value)}" for key, value in attribute.items() if value != "")]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(inner) for inner in value) + "]"
    # A basic string of TOML escapes as JSON does, apart from DEL.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
