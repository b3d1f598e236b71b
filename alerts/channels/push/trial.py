"""A push that only tests the way to one subscriber's devices: no message of the city, and it says so first."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.audience import find_subscriber
from alerts.catalogue import fill, load_texts
from alerts.channels import TransportError
from alerts.channels.push.devices import Device, find_devices
from alerts.channels.push.encryption import encrypt
from alerts.channels.push.forms import write_content
from alerts.channels.push.post import Poster
from alerts.channels.push.vapid import Sender
from gis.database import SERVICE, Database
from gis.errors import UsageError
from gis.settings import Settings
from gis.town import load_town

# For a device that is away now: a test that shows up tomorrow only puzzles.
_TTL_S = 300


@dataclass(frozen=True)
class Trial:
    """What became of the test on one device: the push service's host, its own words, and whether it took the push."""

    service: str
    words: str
    is_taken: bool


def try_devices(database: Database, settings: Settings, email: str) -> list[Trial]:
    """Push a test to each device of a subscriber and return what each push service said.

    Nothing is recorded: a device that is gone is given up when a message of the city goes out.

    Raises
    ------
    UsageError : nobody has this address, or the person has no device.
    """
    with database.begin(SERVICE) as connection:
        find_subscriber(connection, email)
        devices = find_devices(connection, email)
    if not devices:
        raise UsageError(
            "%(email)s has no device that takes push messages.",
            "A browser adds itself with the key in the person's mails: POST /subscription/<key>/push.",
            email=email,
        )
    poster, sender = Poster(), Sender(settings)
    try:
        return [_try(poster, sender, device, settings) for device in devices]
    finally:
        poster.close()


def _try(poster: Poster, sender: Sender, device: Device, settings: Settings) -> Trial:
    service = device.endpoint.split("/")[2]
    headers = {
        "TTL": str(_TTL_S),
        "Urgency": "normal",
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "Authorization": sender.authorize(device.endpoint),
    }
    try:
        answer = poster.post(device.endpoint, headers, encrypt(_write(device, settings), device.p256dh, device.auth))
    except (TransportError, ValueError) as error:
        return Trial(service, str(error), False)
    return Trial(service, answer.words, 200 <= answer.status < 300)


def _write(device: Device, settings: Settings) -> bytes:
    words = load_texts("common", device.language)["push"]
    town = load_town().name(device.language)
    return write_content(
        title=fill(words["trial_title"], {"town": town}),
        body=words["trial_body"],
        url=f"{settings.base_url}/?lang={device.language}",
        tag="trial",
        language=device.language,
        level=0,
    )
