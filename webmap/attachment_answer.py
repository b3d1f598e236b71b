"""How a stored file is served: as what it was found to be, never more, and never as a page of ours."""

from __future__ import annotations

import io

from flask import Response, abort, send_file

from layers.attachment_files import clean_name
from layers.attachments import StoredFile

# Whatever a browser makes of the bytes, it may run nothing, load nothing and reach nothing of this site.
_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"


def serve_file(file: StoredFile, *, is_shared: bool) -> Response:
    """Answer a file with its ETag (the SHA-256 of the bytes); pictures to look at, documents to save.

    Caches keep it but ask each time, so that one who lost the right, or a file that was hidden, gets nothing.

    Parameters
    ----------
    is_shared : whether it is the same for everyone, so that also shared caches may keep it.
    """
    if file.body is None:
        abort(404)
    response = send_file(
        io.BytesIO(file.body),
        mimetype=file.media_type,
        as_attachment=not file.media_type.startswith("image/"),
        download_name=clean_name(file.name, file.media_type),
        etag=f"{file.sha256}-{len(file.body)}",
    )
    response.headers["Content-Type"] = file.media_type
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = f"{'public' if is_shared else 'private'}, no-cache"
    return response
