"""Photos and documents that everyone may see. They run as the role `citizen`."""

from __future__ import annotations

from flask import Blueprint, Response

from layers.attachment_words import load_attachment_words
from layers.attachments import OpenAttachment, UnknownAttachmentError, list_open_attachments, read_open_attachment
from webmap.attachment_answer import serve_file
from webmap.errors import missing_page
from webmap.languages import language
from webmap.services import citizen_connection

blueprint = Blueprint("citizen_attachments", __name__)


@blueprint.app_context_processor
def _windows() -> dict[str, object]:
    """Let a page look up what is attached to the features it shows."""
    return {"open_attachments": _open_attachments, "open_attachment_words": lambda: load_attachment_words(language())}


def _open_attachments(layer: str, fids: list[int]) -> dict[int, list[OpenAttachment]]:
    with citizen_connection() as connection:
        return list_open_attachments(connection, layer, fids)


@blueprint.get("/attachments/<int:attachment>")
def show_attachment(attachment: int) -> Response:
    """Answer a file that was marked public, of a feature that everyone sees."""
    with citizen_connection() as connection:
        file = read_open_attachment(connection, attachment, is_small=False)
    return serve_file(file, is_shared=True)


@blueprint.get("/attachments/<int:attachment>/thumbnail")
def show_thumbnail(attachment: int) -> Response:
    """Answer the small picture of such a photo."""
    with citizen_connection() as connection:
        file = read_open_attachment(connection, attachment, is_small=True)
    return serve_file(file, is_shared=True)


blueprint.register_error_handler(UnknownAttachmentError, missing_page)
