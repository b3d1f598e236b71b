import io

from PIL import Image

from layers.photo_covering import cover_photo
from layers.photos import make_photo
from tests.layers.picture_files import SECRET, make_picture


def pixel(body: bytes, left: float, top: float) -> tuple[int, ...]:
    with Image.open(io.BytesIO(body)) as picture:
        pixels = picture.convert("RGB")
        found = pixels.getpixel((int(left * pixels.width), int(top * pixels.height)))
    assert isinstance(found, tuple)
    return found


def test_what_is_covered_is_black_in_picture_and_thumbnail_and_the_rest_stands() -> None:
    clean = make_photo(make_picture(), "image/jpeg")
    covered = cover_photo(clean.body, "image/jpeg", [(0.1, 0.1, 0.2, 0.2), (0.9, 0.9, 0.5, 0.5)])
    for body in (covered.body, covered.thumbnail):
        assert max(pixel(body, 0.2, 0.2)) < 12 and max(pixel(body, 0.95, 0.95)) < 12
        assert max(pixel(body, 0.5, 0.5)) > 100
    assert (covered.width, covered.height) == (clean.width, clean.height)


def test_each_kind_of_picture_stays_what_it_is_and_holds_nothing_else() -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        media_type = f"image/{kind.lower()}"
        covered = cover_photo(make_photo(make_picture(kind), media_type).body, media_type, [(0, 0, 1, 1)])
        with Image.open(io.BytesIO(covered.body)) as picture:
            assert picture.format == kind
            assert max(high for _, high in picture.convert("RGB").getextrema()) < 12
        assert SECRET not in covered.body and covered.place is None


def test_without_rectangles_the_picture_is_only_encoded_anew() -> None:
    clean = make_photo(make_picture(), "image/jpeg")
    assert max(pixel(cover_photo(clean.body, "image/jpeg", []).body, 0.2, 0.2)) > 100
