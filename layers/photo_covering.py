"""Parts of a picture made unreadable: filled with one colour, so that nothing of what stood there is left."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from layers.photos import Photo, make_photo

Rectangle = tuple[float, float, float, float]


def cover_photo(body: bytes, media_type: str, rectangles: Sequence[Rectangle]) -> Photo:
    """Return a picture with rectangles filled in black, encoded anew.

    Blurring and pixelating can be undone for number plates and faces; a filled area holds nothing.

    Parameters
    ----------
    body : a picture that `make_photo` made (upright). rectangles : left, top, width, height, as parts of the
        picture's width and height, 0 to 1; what lies outside the picture is ignored.
    """
    if not rectangles:
        return make_photo(body, media_type)
    with Image.open(io.BytesIO(body)) as opened:
        picture = opened.convert("RGB")
    brush = ImageDraw.Draw(picture)
    for left, top, width, height in rectangles:
        # One pixel more on each side: a picture's compression spreads what stood at the edge.
        corner = (left * picture.width - 1, top * picture.height - 1)
        end = ((left + width) * picture.width + 1, (top + height) * picture.height + 1)
        brush.rectangle((corner, end), fill="black")
    return make_photo(_as_kind(picture, media_type), media_type)


def _as_kind(picture: Image.Image, media_type: str) -> bytes:
    made = io.BytesIO()
    picture.save(made, {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}[media_type], quality=95)
    return made.getvalue()
