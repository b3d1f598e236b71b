import pytest
import requests

from ingest.transport import TransportError, get
from tests.ingest import feed_server as other_side


@pytest.fixture
def ask(feed_server):
    def get_page(path, limit_bytes=1_000_000, deadline_s=10.0, validators=None):
        with requests.Session() as session:
            return get(session, feed_server.base + path, limit_bytes, deadline_s, validators)

    return get_page


def test_a_body_comes_with_its_validators(feed_server, ask):
    feed_server.pages["/a"] = b"hello"
    answer = ask("/a")
    assert answer.body.content == b"hello"
    assert set(answer.validators) == {"etag"}


def test_what_is_not_modified_has_no_body(feed_server, ask):
    feed_server.pages["/a"] = b"hello"
    again = ask("/a", validators=ask("/a").validators)
    assert again.body is None
    assert feed_server.asked("/a") == [200, 304]


def test_gzip_is_unpacked(feed_server, ask):
    feed_server.gzips = True
    feed_server.pages["/a"] = b"hello" * 1000
    assert ask("/a").body.content == b"hello" * 1000


def test_the_limit_counts_unpacked_bytes(feed_server, ask):
    feed_server.gzips = True
    feed_server.pages["/a"] = b"0" * 10_000_000
    assert ask("/a").body.is_truncated


def test_a_flood_is_read_no_further_than_the_limit(feed_server, ask):
    feed_server.misbehaviour["/a"] = other_side.flood
    body = ask("/a").body
    assert body.is_truncated
    assert body.byte_size < 2_000_000


@pytest.mark.parametrize("misbehave", [other_side.drip, other_side.drip_headers])
def test_a_drip_ends_at_the_deadline(feed_server, ask, misbehave):
    feed_server.misbehaviour["/a"] = misbehave
    with pytest.raises(TransportError, match=r"/a: (no complete answer within|the body did not end)"):
        ask("/a", deadline_s=0.5)


@pytest.mark.parametrize(
    ("misbehave", "reason"), [(other_side.redirect, "HTTP 302"), (other_side.cut_off, "127.0.0.1")]
)
def test_half_an_answer_is_no_answer(feed_server, ask, misbehave, reason):
    feed_server.misbehaviour["/a"] = misbehave
    with pytest.raises(TransportError, match=reason):
        ask("/a")


def test_nobody_there_is_said_with_the_address():
    said = r"127\.0\.0\.1:9/a: no connection: Connection refused$"
    with requests.Session() as session, pytest.raises(TransportError, match=said):
        get(session, "http://127.0.0.1:9/a", 1000, 5.0)
