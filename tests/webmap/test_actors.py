"""What went by itself says what it went by, in the reader's language; a person is a name."""

from __future__ import annotations

import pytest
from flask import Flask

from webmap.actors import actor


@pytest.mark.parametrize(
    ("name", "japanese", "english"),
    [
        ("sato", "sato", "sato"),
        ("source:jma", "気象庁", "気象庁"),
        ("source:gone", "gone", "gone"),
        ("policy:VTSE41:5", "方針（VTSE41 レベル5）", "policy: VTSE41, level 5"),
        ("machimori_service", "自動", "by itself"),
        (None, "", ""),
    ],
)
def test_who_did_it_is_said_in_words(app: Flask, name: str | None, japanese: str, english: str) -> None:
    for language, said in (("ja", japanese), ("en", english)):
        with app.test_request_context(f"/?lang={language}"):
            assert actor(name) == said
