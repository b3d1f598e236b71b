"""Templates that the staff made: kept in the database beside the shipped ones, edited, and retired, never deleted.

Role of all functions: `dept_disaster`, in the name of an author or approver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from alerts.templates import PARTS, Template, load_templates, unmark_status
from alerts.texts import AlertText
from gis.errors import UsageError
from gis.languages import LANGUAGES
from gis.queries import load_queries

_QUERIES = load_queries(__file__)
_PREFIX = "own:"


@dataclass(frozen=True)
class OwnTemplate:
    """What a person writes of a template.

    Attributes
    ----------
    event : code of `data/alert_events.toml`. level : 1 to 5. kind : of incident, as the form proposes it.
    texts : one per language, with {{ blanks }}.
    """

    title: str
    event: str
    level: int
    kind: str
    texts: tuple[AlertText, ...]


def list_own(connection: Connection) -> list[Row[Any]]:
    """Return the staff's templates, those in use first: id, title, event, level, kind, who, when, retired_at."""
    return list(connection.execute(_QUERIES["list"]))


def read_own(connection: Connection, template_id: int) -> OwnTemplate:
    """Return one, retired or not.

    Raises
    ------
    UsageError : there is none.
    """
    row = connection.execute(_QUERIES["read"], {"id": template_id}).first()
    if row is None:
        raise UsageError("There is no template %(number)s.", "See the list of templates.", number=template_id)
    texts = connection.execute(_QUERIES["texts"], {"id": row.id})
    words = {text.language: AlertText(**text._mapping) for text in texts}
    return OwnTemplate(row.title, row.event, row.level, row.kind, tuple(words[tag] for tag in LANGUAGES))


def all_templates(connection: Connection) -> dict[str, Template]:
    """Return by name what a message can begin with: the shipped templates, then the staff's that are in use."""
    own = {}
    for row in list_own(connection):
        if row.retired_at is None:
            template = read_own(connection, row.id)
            texts = {words.language: {part: getattr(words, part) for part in PARTS} for words in template.texts}
            name = f"{_PREFIX}{row.id}"
            own[name] = Template(name, template.event, template.level, (template.kind,), {}, texts, template.title)
    return {**load_templates(), **own}


def blank_words(words: AlertText, status: str, place: str) -> AlertText:
    """Return the words of a message as a template's: without a drill's marks, its place a blank again.

    Parameters
    ----------
    place : what the area is called in this language; "" when it has no name there.
    """
    plain = unmark_status(words, status)
    parts = {part: getattr(plain, part) for part in PARTS}
    if place:
        parts = {part: said.replace(place, "{{ place }}") for part, said in parts.items()}
    return AlertText(language=words.language, **parts)


def save_own(connection: Connection, template: OwnTemplate, template_id: int | None = None) -> int:
    """Write a new template, or over one that is in use; return its id.

    Raises
    ------
    UsageError : no title, no such level, words missing in a language, or it is retired.
    """
    if not template.title.strip():
        raise UsageError("The template has no name.", "Write one that others recognise.").at("title")
    if not 1 <= template.level <= 5:
        raise UsageError("There is no level %(level)s.", "Levels are 1 to 5.", level=template.level).at("level")
    for words in template.texts:
        if not (words.headline.strip() and words.description.strip()):
            raise UsageError(
                "Words are missing (%(language)s).",
                "It has headline and text in every language.",
                language=words.language,
            ).at(f"{'description' if words.headline.strip() else 'headline'}-{words.language}")
    values = {"title": template.title.strip(), "event": template.event, "level": template.level, "kind": template.kind}
    if template_id is None:
        template_id = int(connection.execute(_QUERIES["insert"], values).scalar_one())
    elif connection.execute(_QUERIES["update"], values | {"id": template_id}).rowcount == 0:
        raise UsageError("Template %(number)s is not in use.", "Make a new one.", number=template_id)
    for words in template.texts:
        connection.execute(_QUERIES["write_text"], {"id": template_id, **vars(words)})
    return template_id


def retire_own(connection: Connection, template_id: int) -> None:
    """Offer a template no longer; what was written from it stays as it is.

    Raises
    ------
    UsageError : there is none in use.
    """
    if connection.execute(_QUERIES["retire"], {"id": template_id}).rowcount == 0:
        raise UsageError("Template %(number)s is not in use.", "See the list of templates.", number=template_id)
