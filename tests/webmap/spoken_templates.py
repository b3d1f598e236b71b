"""Finds in the source what `gis.errors` is given to say, so that no sentence reaches a page without a translation.

An error is made of English templates: literal text, or a name of the module that stands for one. What is put together
at run time (an f-string) has no translation: it is reported as untold.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

HOUSE = Path(__file__).parents[2]
ROOMS = ("gis", "layers", "ingest", "alerts", "webmap")
# "%(problems)s" alone has nothing to translate, and these hand on what was told elsewhere.
_ONLY_BLANK = "%(problems)s"
_HANDED_ON = ("template", "hint_template")
Modules = Mapping[str, ast.Module]


@dataclass
class Told:
    """templates : English text → where it stands. untold : where a sentence is no literal text."""

    templates: dict[str, str] = field(default_factory=dict)
    untold: list[str] = field(default_factory=list)


def read_house() -> dict[str, ast.Module]:
    """Return path → syntax tree of every module of the house."""
    return {
        str(path.relative_to(HOUSE)): ast.parse(path.read_text(encoding="utf-8"))
        for room in ROOMS
        for path in sorted((HOUSE / room).rglob("*.py"))
    }


def collect(modules: Modules, unreached: Collection[str]) -> Told:
    """Return what the modules say, except those that no page reaches (patterns)."""
    told, errors = Told(), _error_classes(modules)
    speaking = {name for name, own in errors.items() if not _constructors(own)} | {"UsageError"}
    for path, module in modules.items():
        if any(fnmatch(path, pattern) for pattern in unreached):
            continue
        meanings = _meanings(module)
        for call, count in _calls(module, speaking, errors):
            for given in call.args[:count]:
                _note(given, meanings, f"{path}:{call.lineno}", told)
    return told


def _error_classes(modules: Modules) -> dict[str, ast.ClassDef]:
    """`UsageError` and every class that comes from it, by name."""
    classes = {
        node.name: node for module in modules.values() for node in ast.walk(module) if isinstance(node, ast.ClassDef)
    }
    found = {"UsageError"}
    while more := {name for name, own in classes.items() if _bases(own) & found} - found:
        found |= more
    return {name: classes[name] for name in found}


def _bases(own: ast.ClassDef) -> set[str]:
    return {base.id for base in own.bases if isinstance(base, ast.Name)}


def _constructors(own: ast.ClassDef) -> list[ast.FunctionDef]:
    """A class with a constructor of its own says the words there; whoever calls it gives none."""
    return [part for part in own.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]


def _calls(
    module: ast.Module, speaking: Collection[str], errors: Mapping[str, ast.ClassDef]
) -> Iterator[tuple[ast.Call, int]]:
    """Calls that are given templates, and how many."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in speaking or node.func.id == "Phrase":
                yield node, 1 if node.func.id == "Phrase" else 2
        elif isinstance(node, ast.ClassDef) and node.name in errors and node.name != "UsageError":
            for constructor in _constructors(node):
                for call in ast.walk(constructor):
                    if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__":
                        yield call, 2


def _meanings(module: ast.Module) -> dict[str, ast.expr]:
    """What each name of a module is given."""
    return {
        target.id: node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _note(given: ast.expr, meanings: Mapping[str, ast.expr], place: str, told: Told) -> None:
    if isinstance(given, ast.Name):
        given = meanings.get(given.id, given)
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        if given.value not in ("", _ONLY_BLANK):
            told.templates.setdefault(given.value, place)
    elif isinstance(given, ast.IfExp):
        _note(given.body, meanings, place, told)
        _note(given.orelse, meanings, place, told)
    elif ast.unparse(given) == "self.text('en')":  # has words of its own in each language (gis.errors.HasText)
        return
    elif not (isinstance(given, ast.Attribute) and given.attr in _HANDED_ON):
        told.untold.append(place)
