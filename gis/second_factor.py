"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for the day the phone is lost.

The app's secret stands nowhere: it is HMAC-SHA-256 of a stored salt under the installation's key, and recovery codes
are kept as such HMACs. So a copy of the database alone neither makes nor tries codes. Without the key (a machine built
anew without `var/secrets`) no code fits any more: then `user totp-reset` helps.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import time
import unicodedata

import pyotp
from sqlalchemy import Connection, text

from gis.errors import UsageError
from gis.queries import load_queries
from gis.settings import Settings

_QUERIES = load_queries(__file__)
_STEP_S = 30
RECOVERY_CODES = 10
# Without letters and digits that are taken for one another.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def second_factor_key(settings: Settings) -> str:
    """Return the installation's key, which all machines that answer logins share (docs/operations.md)."""
    return settings.secret("second_factor_key")


def begin_enrolment(connection: Connection, name: str) -> None:
    """Choose a new secret for an account that has no second factor yet. Role: `machimori_gate`.

    Raises
    ------
    UsageError : it has one.
    """
    done = connection.execute(_QUERIES["begin"], {"name": name, "salt": secrets.token_hex(16)})
    if done.rowcount == 0:
        raise UsageError("%(name)s has a second factor already.", "Remove it first.", name=name)


def enrolment_secret(connection: Connection, name: str, key: str) -> str | None:
    """Return the secret of an enrolment that was begun (base32), None otherwise: also once it was confirmed.

    Role: `machimori_gate`.
    """
    row = connection.execute(_QUERIES["read"], {"name": name}).first()
    return None if row is None or row.is_confirmed else _secret(key, name, row.salt)


def provisioning_uri(name: str, secret: str, issuer: str) -> str:
    """Return what the QR code says to the app (the `otpauth://totp/` form that all of them read)."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def confirm_enrolment(connection: Connection, name: str, key: str, code: str) -> list[str] | None:
    """Take the first code of a begun enrolment; return the recovery codes, None when it is wrong.

    Role: `machimori_gate`. They are not to be had again.
    """
    row = connection.execute(_QUERIES["read"], {"name": name}).first()
    if row is None or row.is_confirmed:
        return None
    step = _step_of(_secret(key, name, row.salt), _plain(code), after=0)
    if step is None:
        return None
    connection.execute(_QUERIES["confirm"], {"name": name, "step": step})
    return renew_recovery_codes(connection, name, key)


def check_code(connection: Connection, name: str, key: str, code: str) -> bool:
    """Return whether this is the account's present code or an unused recovery code. Role: `machimori_gate`.

    The caller commits in both cases. The app's clock may be a step (30 s) off; no code is taken twice. From the fifth
    wrong one in a row on, none is taken for a pause of 2, 4, 8 … up to 60 minutes.
    """
    row = connection.execute(_QUERIES["read"], {"name": name}).first()
    if row is None or not row.is_confirmed or row.is_locked:
        return False
    written = _plain(code)
    step = _step_of(_secret(key, name, row.salt), written, after=row.last_step)
    if step is None and _use_recovery_code(connection, name, key, written):
        step = 0
    if step is None:
        connection.execute(_QUERIES["count_failure"], {"name": name})
        return False
    connection.execute(_QUERIES["count_success"], {"name": name, "step": step})
    return True


def renew_recovery_codes(connection: Connection, name: str, key: str) -> list[str]:
    """Return new recovery codes, each good for one login; the old ones are void. Role: `machimori_gate`."""
    connection.execute(_QUERIES["forget_recovery_codes"], {"name": name})
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    for code in codes:
        connection.execute(_QUERIES["keep_recovery_code"], {"name": name, "code": _mac(key, "recovery", name, code)})
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def count_recovery_codes(connection: Connection, name: str) -> int:
    """Return how many recovery codes are left. Role: `machimori_gate`."""
    return int(connection.execute(_QUERIES["count_recovery_codes"], {"name": name}).scalar_one())


def remove_second_factor(connection: Connection, name: str) -> None:
    """Take the second factor from an account. Role: owner, `machimori_admin`, or `machimori_gate` for the person.

    Raises
    ------
    UsageError : there is none.
    """
    done = connection.execute(text("DELETE FROM gis.second_factor WHERE account = :name"), {"name": name})
    if done.rowcount == 0:
        raise UsageError("%(name)s has no second factor.", "See ./machimori user list", name=name)


def set_rule(connection: Connection, is_required: bool) -> None:
    """Say whether alert approvers and administrators need a second factor. Role: owner."""
    connection.execute(text("UPDATE gis.second_factor_rule SET is_required = :value"), {"value": is_required})


def is_required(connection: Connection) -> bool:
    """Return whether alert approvers and administrators need a second factor. Role: owner."""
    return bool(connection.execute(text("SELECT is_required FROM gis.second_factor_rule")).scalar_one())


def _use_recovery_code(connection: Connection, name: str, key: str, code: str) -> bool:
    mac = _mac(key, "recovery", name, code)
    return connection.execute(_QUERIES["use_recovery_code"], {"name": name, "code": mac}).rowcount == 1


def _secret(key: str, name: str, salt: str) -> str:
    # 160 bits, as RFC 4226 section 4 recommends.
    return base64.b32encode(bytes.fromhex(_mac(key, "totp", name, salt))[:20]).decode()


def _mac(key: str, *words: str) -> str:
    return hmac.digest(key.encode(), "\x1f".join(words).encode(), "sha256").hex()


def _step_of(secret: str, code: str, after: int) -> int | None:
    """Return the step that a code belongs to, among the present one and its neighbours; None: none after `after`."""
    totp, now = pyotp.TOTP(secret), int(time.time()) // _STEP_S
    fitting = [
        step for step in (now - 1, now, now + 1) if hmac.compare_digest(totp.generate_otp(step), code) and step > after
    ]
    return fitting[0] if fitting else None


def _plain(code: str) -> str:
    """A code as people type it: spaces, hyphens, capitals, and full-width digits of a Japanese keyboard."""
    typed = unicodedata.normalize("NFKC", code).lower()
    return "".join(letter for letter in typed if letter.isascii() and letter.isalnum())
