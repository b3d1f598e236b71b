"""A published message as documents for other systems: one address for each publication found (docs/channels.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from flask import Blueprint, Response, abort, url_for
from flask.blueprints import BlueprintSetupState

from alerts.channels.outgoing import Publication, publications
from webmap import board
from webmap.languages import language
from webmap.services import citizen_connection, services

blueprint = Blueprint("alert_documents", __name__)


class Document(NamedTuple):
    """A link to a message's document: its title in the reader's language, its address and media type."""

    title: str
    url: str
    content_type: str


def answer(alert_id: int, publication: Publication) -> Response:
    """Answer a message that went out as a document; 404 for any other."""
    with citizen_connection() as connection:
        if board.find_alert(connection, alert_id) is None:
            abort(404)
        content = publication.render(connection, alert_id, services().settings)
    return Response(content, mimetype=publication.content_type)


def list_documents(alert_id: int) -> list[Document]:
    """Return the documents of a message."""
    return [
        Document(
            found.titles[language()],
            url_for(f"alert_documents.{_endpoint(found)}", alert_id=alert_id),
            found.content_type,
        )
        for found in publications()
    ]


def _view(publication: Publication) -> Callable[[int], Response]:
    def show_document(alert_id: int) -> Response:
        return answer(alert_id, publication)

    return show_document


def _endpoint(publication: Publication) -> str:
    return publication.name.replace("-", "_")


@blueprint.record
def _add_addresses(state: BlueprintSetupState) -> None:
    for publication in publications():
        state.add_url_rule(
            f"/alerts/<int:alert_id>{publication.suffix}",
            endpoint=_endpoint(publication),
            view_func=_view(publication),
        )


@blueprint.app_context_processor
def _offer() -> dict[str, object]:
    """Give every template the documents of a message as a function."""
    return {"alert_documents": list_documents}
