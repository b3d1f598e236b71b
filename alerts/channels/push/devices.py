"""The devices of subscribers: who gets a push, where it goes, and which have it or are no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, text

from alerts.handover import RETRY_HOURS
from gis.queries import load_queries

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Device:
    """A browser that takes push messages (RFC 8030): where, and its keys (RFC 8291)."""

    id: int
    endpoint: str
    p256dh: bytes
    auth: bytes
    language: str


def freeze(connection: Connection, alert_id: int) -> int:
    """Write a push beside the mail of everybody who has a device; return how many. Roles: as the mail's recipients."""
    return connection.execute(_QUERIES["freeze"], {"alert_id": alert_id}).rowcount


def has_due(connection: Connection, alert_ids: Sequence[int]) -> bool:
    """Tell whether any push of some alerts is due."""
    return connection.execute(_QUERIES["has_due"], {"alert_ids": list(alert_ids)}).first() is not None


def count(connection: Connection, recipients: str, values: Mapping[str, object]) -> dict[str, int]:
    """Count the devices of the subscribers that a query finds, by language. Role: `dept_disaster`, or its viewers."""
    query = text(_QUERIES.sql("count").replace("{recipients}", recipients))
    return {row.language: row.devices for row in connection.execute(query, values)}


def read_alerts(connection: Connection, alert_ids: Sequence[int]) -> list[Row[tuple[object, ...]]]:
    """Return what the messages of some alerts share, a row per alert and language."""
    values = {"alert_ids": list(alert_ids), "retry_hours": RETRY_HOURS}
    return list(connection.execute(_QUERIES["read_alerts"], values))


def read_devices(connection: Connection, delivery_ids: Sequence[int]) -> dict[int, list[Device]]:
    """Return the devices still to be reached, per delivery; a delivery whose devices are all gone has an empty list."""
    found: defaultdict[int, list[Device]] = defaultdict(list)
    for row in connection.execute(_QUERIES["read_devices"], {"delivery_ids": list(delivery_ids)}):
        found[row.delivery_id].append(_device(row))
    return {delivery_id: found[delivery_id] for delivery_id in delivery_ids}


def find_devices(connection: Connection, email: str) -> list[Device]:
    """Return the devices of the subscriber with this mail address."""
    return [_device(row) for row in connection.execute(_QUERIES["read_devices_of"], {"email": email})]


def has_receipt(connection: Connection, delivery_id: int) -> bool:
    """Tell whether some device has a message already."""
    return connection.execute(_QUERIES["has_receipt"], {"delivery_id": delivery_id}).first() is not None


def note_receipts(connection: Connection, delivery_id: int, devices: Sequence[Device]) -> None:
    """Note who has a message, and all that it carries, before it is tried again for the person's other devices."""
    values = {"delivery_id": delivery_id, "device_ids": [device.id for device in devices]}
    connection.execute(_QUERIES["note_receipts"], values)


def note_gone(connection: Connection, device: Device, words: str) -> None:
    """Note that a device is no more, unless it subscribed anew meanwhile."""
    values = {"id": device.id, "endpoint": device.endpoint, "p256dh": device.p256dh, "words": words}
    connection.execute(_QUERIES["note_gone"], values)


def _device(row: Row[tuple[object, ...]]) -> Device:
    values = row._mapping
    return Device(values["id"], values["endpoint"], bytes(values["p256dh"]), bytes(values["auth"]), values["language"])
