"""How pushes leave through the outbox: the recipients beside the mails', and the connections of one sender."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from alerts.channels.outgoing import Channel, Outgoing
from alerts.channels.push.channel import PushChannel
from alerts.channels.push.devices import count, freeze, has_due
from alerts.channels.push.forms import PushForms
from alerts.channels.push.vapid import Sender
from gis.database import Database
from gis.settings import Settings

# Messages on their way at once, each on a thread of its own; the answer of a service takes some 100 ms.
_LANES = 16


@contextmanager
def _open(database: Database, settings: Settings) -> Iterator[Outgoing]:
    forms, sender = PushForms(database, settings), Sender(settings)
    with ThreadPoolExecutor(_LANES, thread_name_prefix="push") as executor:
        yield Outgoing(forms, [PushChannel(database, forms, sender, executor) for _ in range(_LANES)])


CHANNEL = Channel(
    name="push",
    titles={"ja": "プッシュ通知", "ja-x-easy": "プッシュ通知（つうち）", "en": "push message"},
    freeze=freeze,
    has_due=has_due,
    open=_open,
    count=count,
)
