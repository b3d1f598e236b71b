"""An attribute's words and rules as a form sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gis.errors import UsageError
from layers.codes import Code, parse_codes
from layers.definition import Attribute
from webmap.staff.draft_form import OWN_CODES, read_code

Form = Mapping[str, str]


def read_rules(form: Form, kind: str) -> dict[str, Any]:
    """Return the changeable fields of an attribute of type `kind` (`layers.reshaping.CHANGEABLE`, without aliases).

    Raises
    ------
    UsageError : a number, a code or a label cannot be read.
    """
    ja, en = form.get("ja", "").strip(), form.get("en", "").strip()
    if not ja:
        raise UsageError("The attribute has no label.", "Say what people are to read.")
    return {
        "label": {"ja": ja, "en": en or ja},
        "unit": form.get("unit", "").strip(),
        "pattern": form.get("pattern", "").strip() if kind == "text" else "",
        "minimum": _number(form.get("minimum", "")) if kind in ("integer", "real") else None,
        "maximum": _number(form.get("maximum", "")) if kind in ("integer", "real") else None,
        "default": read_default(form.get("default", ""), kind),
        "code_list": form.get("codes", "") if form.get("codes") != OWN_CODES else "",
        "choices": _choices(form) if form.get("codes") == OWN_CODES else (),
        **{key: key in form for key in ("required", "drawn", "public")},
    }


def read_new(form: Form) -> dict[str, Any]:
    """Return a new attribute as a definition writes it.

    Raises
    ------
    UsageError : something cannot be read.
    """
    kind = form.get("type", "text")
    rules = {key: value for key, value in read_rules(form, kind).items() if value is not None}
    rules["choices"] = [code.to_entry() for code in rules["choices"]]
    return {"name": form.get("name", "").strip(), "type": kind, "personal": "personal" in form, **rules}


def read_default(written: str, kind: str) -> bool | str | float | None:
    """Return a default as its type has it, None for "".

    Raises
    ------
    UsageError : it is no value of that type.
    """
    written = written.strip()
    if not written:
        return None
    if kind == "boolean":
        if written not in ("true", "false"):
            raise UsageError("%(written)r is neither true nor false.", "Write true or false.", written=written)
        return written == "true"
    number = _number(written) if kind in ("integer", "real") else None
    if kind == "integer" and number is not None and number != int(number):
        raise UsageError("%(written)r is no whole number.", "Write digits only.", written=written)
    return written if number is None else int(number) if kind == "integer" else number


def own_codes_text(attribute: Attribute) -> str:
    """Return an attribute's own codes, one a line, as the form shows them."""
    return "\n".join(" | ".join((code.value, code.names["ja"], code.names["en"])) for code in attribute.choices)


def _choices(form: Form) -> tuple[Code, ...]:
    lines = [line for line in form.get("own", "").splitlines() if line.strip()]
    return parse_codes([read_code(line) for line in lines], "The code list")


def _number(written: str) -> float | None:
    if not written.strip():
        return None
    try:
        number = float(written)
    except ValueError as error:
        raise UsageError(
            "%(written)r is no number.", "Write digits, with a point before the decimals.", written=written
        ) from error
    if not abs(number) < float("inf"):
        raise UsageError(
            "%(written)r is no number.", "Write digits, with a point before the decimals.", written=written
        )
    return number
