"""What may be attached is told by its content, and pictures keep nothing but their pixels."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from layers.attachment_files import clean_file, clean_name
from layers.attachment_words import RefusedFileError, load_attachment_words
from layers.file_kinds import file_kind
from tests.layers.picture_files import SECRET, make_office, make_pdf, make_picture

MOST = 20_000_000
_ODT = b"application/vnd.oasis.opendocument.text"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_keeps_its_pixels_and_nothing_that_the_camera_hid(kind: str) -> None:
    original = make_picture(kind)
    assert SECRET in original
    kept = clean_file("photo.jpg", original, MOST)
    for body in (kept.body, kept.thumbnail or b""):
        with Image.open(io.BytesIO(body)) as picture:
            picture.load()
            assert not picture.getexif() and not picture.getexif().get_ifd(0x8825)
            assert not picture.info.keys() & {"exif", "icc_profile", "xmp", "comment", "photoshop", "XML:com.adobe.xmp"}
            assert picture.convert("RGB").getpixel((2, 2))[2] > 150, "the picture itself is there"
        for trace in (SECRET, b"Exif", b"GPS", b"xmpmeta", b"ICC_PROFILE", b"iCCP", b"eXIf", b"tEXt", b"iTXt"):
            assert trace not in body
    assert kept.place == pytest.approx((141.2, 38.4), abs=1e-6), "the place is handed on apart, as an offer"
    assert kept.taken_at and kept.taken_at.isoformat() == "2026-03-11T14:46:18+09:00"
    assert max(Image.open(io.BytesIO(kept.thumbnail or b"")).size) == 320


def test_a_picture_stands_upright_and_is_not_larger_than_is_looked_at() -> None:
    kept = clean_file("a.jpg", make_picture(size=(4000, 1000), Orientation=6), MOST)
    assert (kept.width, kept.height) == (640, 2560)
    with Image.open(io.BytesIO(kept.body)) as picture:
        assert picture.convert("RGB").getpixel((600, 40))[2] > 150, "the blue corner turned to the right"


def test_a_picture_of_several_keeps_one_and_transparency_stays() -> None:
    made = io.BytesIO()
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    frames[0].save(made, "MPO", save_all=True, append_images=frames[1:])
    kept = clean_file("a.jpg", made.getvalue(), MOST)
    assert kept.body.count(b"\xff\xd8\xff") == 1
    made = io.BytesIO()
    Image.new("RGBA", (10, 10), (255, 0, 0, 0)).save(made, "PNG")
    with Image.open(io.BytesIO(clean_file("a.png", made.getvalue(), MOST).body)) as picture:
        assert picture.mode == "RGBA"


@pytest.mark.parametrize(
    ("place", "expected"), [(None, None), ((0.0, 0.0), None), ((151.0, 38.0), (151.0, 38.0)), ((200.0, 38.0), None)]
)
def test_a_place_that_cannot_be_is_no_offer(
    place: tuple[float, float] | None, expected: tuple[float, float] | None
) -> None:
    assert clean_file("a.jpg", make_picture(place=place), MOST).place == expected


def _bomb() -> bytes:
    """A PNG of a few bytes that claims 900 million pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b"MZ\x90\x00\x03", "program"),
        (b"\x7fELF\x02\x01", "program"),
        (b"#!/bin/sh\nrm -rf /\n", "script"),
        (b"<?php system($_GET[0]); ?>", "script"),
        (b"<!DOCTYPE html><p>", "html"),
        ("\ufeff  <HTML><body>".encode(), "html"),
        (b"hello <script>alert(1)</script>", "html"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "svg"),
        (b"<a/>", "xml"),
        (b"GIF89a....", "picture_kind"),
        (b"BM\x00\x00\x00\x00", "picture_kind"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "heic"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00", "media"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "media"),
        (b"\x1f\x8b\x08\x00", "archive"),
        (make_office("a.txt"), "archive"),
        (b"PK\x03\x04 nothing behind", "broken_document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 100, "old_office"),
        (make_office("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "macros"),
        (make_office("Basic/script-lb.xml", mimetype=_ODT), "macros"),
        (make_office("[Content_Types].xml", "word/document.xml") + b"<script>", "polyglot"),
        (make_pdf() + make_office("a.txt"), "polyglot"),
        (make_pdf().replace(b"1 0 obj", b"<html><script>"), "polyglot"),
        (make_pdf()[:30], "broken_document"),
        (b"\x00\x01\x02\x03", "unknown"),
        (make_picture()[:2000], "broken_picture"),
        (b"\x89PNG\r\n\x1a\nnonsense", "broken_picture"),
        (_bomb(), "huge_picture"),
    ],
)
def test_what_may_do_harm_is_refused_by_what_it_is(body: bytes, code: str) -> None:
    with pytest.raises(RefusedFileError) as caught:
        clean_file("innocent.jpg", body, MOST)
    assert caught.value.code == code


def test_an_encrypted_archive_is_refused() -> None:
    body = bytearray(make_office("[Content_Types].xml", "word/document.xml"))
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(RefusedFileError) as caught:
        file_kind(bytes(body))
    assert caught.value.code == "encrypted"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (make_pdf(), "application/pdf"),
        (make_office("content.xml", mimetype=_ODT), _ODT.decode()),
        (
            make_office("[Content_Types].xml", "xl/workbook.xml"),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        ("番号,名称\r\n1,人孔\r\n".encode("cp932"), "text/csv; charset=shift_jis"),
        ("\ufeff番号,名称\r\n1,人孔\r\n".encode(), "text/csv; charset=utf-8"),
        ("点検の記録。異常なし\n".encode(), "text/plain; charset=utf-8"),
        (b"MZ is how this note begins\n", "text/plain; charset=utf-8"),
    ],
)
def test_documents_are_known_by_their_content_and_kept_as_they_are(body: bytes, kind: str) -> None:
    kept = clean_file("x.exe", body, MOST)
    assert (kept.media_type, kept.body) == (kind, body)
    assert not kept.name.endswith(".exe"), "a saved copy cannot start as a program"


def test_a_file_over_the_limit_is_refused() -> None:
    with pytest.raises(RefusedFileError, match="at most 1 MB"):
        clean_file("a.txt", b"a" * 1_000_001, 1_000_000)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\写真\\人孔.JPG", "人孔.JPG"),
        ("か\u3099.jpg", "が.jpg"),
        ("gpj\u202egpj.exe", "gpjgpj.exe.jpg"),
        ("a\r\nSet-Cookie: x.jpg", "aSet-Cookie: x.jpg"),
        ("...", "file.jpg"),
        ("", "file.jpg"),
    ],
)
def test_a_name_is_shown_and_never_a_path(name: str, shown: str) -> None:
    assert clean_name(name, "image/jpeg") == shown
    assert len(clean_name("長" * 500 + ".jpg", "image/jpeg")) == 120


def test_every_refusal_has_its_words_in_all_languages() -> None:
    words = [load_attachment_words(language) for language in ("ja", "ja-x-easy", "en")]
    assert words[0].keys() == words[1].keys() == words[2].keys()
    assert (
        len({tuple(entry["refused_html"] for entry in words)}) == 1
        and words[0]["refused_html"] != words[2]["refused_html"]
    )
