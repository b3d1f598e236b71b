"""What an installation may set: environment variables with defaults under the project's folder."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from gis.errors import UsageError
from gis.placement import cluster_folder, socket_folder

PROJECT_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = PROJECT_DIR / "data"


@dataclass(frozen=True)
class Settings:
    """Everything that differs between two installations.

    Attributes
    ----------
    var_dir : where this installation keeps its own files (cluster, mailbox, secrets).
    database_url : libpq URL of the administering login, or None for the embedded cluster.
    app_database_url : libpq URL of the login `machimori_app`, or None to derive it.
    smtp_url : `smtp://[user:password@]host:port` of the relay, several in order of preference separated by blanks, or
        None for the local mailbox.
    bounce_address : where bounces go; its server delivers `local+anything@domain` there, too. "" = `mail_from`, unread.
    bounce_mailbox : `maildir:///folder` or `imaps://user:password@host/INBOX` where they are read, "" = nowhere.
    dkim_key, dkim_selector : PEM file of the signing key (RSA or Ed25519; None = do not sign) and its name in the DNS.
    base_url : the public address of the pages, without a trailing slash; links in mails use it.
    mail_from : address in `From:` of every warning; its domain also forms the Message-ID.
    jma_feed_url : folder of JMA's Atom feeds (`eqvol.xml`, `extra.xml` and their long forms), "" = do not poll.
    sources_path : TOML file of the sources that this installation adds (ingest/configuration.py); need not exist.
    alarm_mail : addresses of the staff who are told when a source fails or falls silent; empty = only on the pages.
    max_document_bytes : a larger incoming document is refused (its start is kept as evidence).
    proxies : how many proxies of ours stand before the web server, each adding to `X-Forwarded-For`, which is believed
        so far and no further; 0 = none: the header is ignored.
    max_attachment_bytes, max_attachments : of a file beside a feature, as it is sent; how many a feature may have.
    checkin_days : a file that came back from work without a network waits so long for its conflicts to be settled.
    """

    var_dir: Path
    database_url: str | None = None
    app_database_url: str | None = None
    smtp_url: str | None = None
    bounce_address: str = ""
    bounce_mailbox: str = ""
    dkim_key: Path | None = None
    dkim_selector: str = "machimori"
    base_url: str = "http://127.0.0.1:8000"
    mail_from: str = "bosai@machimori.example"
    jma_feed_url: str = "https://www.data.jma.go.jp/developer/xml/feed"
    max_document_bytes: int = 20_000_000
    max_attachment_bytes: int = 20_000_000
    max_attachments: int = 50
    checkin_days: int = 90
    sources_path: Path = Path("sources.toml")
    proxies: int = 0
    alarm_mail: tuple[str, ...] = ()

    @property
    def is_embedded(self) -> bool:
        """Whether the database is our own cluster under `var_dir`."""
        return self.database_url is None

    @property
    def has_local_mailbox(self) -> bool:
        """Whether mails stay in the local mailbox, so that nobody outside is reached."""
        return self.smtp_url is None

    @property
    def cluster_dir(self) -> Path:
        """Folder of the embedded cluster's data, socket and log (see `gis.placement`)."""
        return cluster_folder(self.var_dir)

    @property
    def mailbox_dir(self) -> Path:
        """Maildir of the local mailbox."""
        return self.var_dir / "mailbox"

    def secret(self, name: str) -> str:
        """Return the installation's secret `name`, made on first use and kept 0600 under `var_dir/secrets`."""
        path = self.var_dir / "secrets" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Written aside and linked, so that another process finds it whole or not at all.
            unfinished = path.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
            unfinished.touch(mode=0o600, exist_ok=False)
            unfinished.write_text(secrets.token_urlsafe(32))
            with suppress(FileExistsError):  # another process was first; its secret counts
                path.hardlink_to(unfinished)
            unfinished.unlink()
        return path.read_text()

    def owner_url(self) -> str:
        """libpq URL of the login that migrates and makes roles."""
        return self.database_url or self._embedded_url("postgres")

    def app_url(self) -> str:
        """libpq URL of `machimori_app`, the login without rights of its own that every service uses."""
        if self.app_database_url:
            return self.app_database_url
        if self.database_url is None:
            return self._embedded_url("machimori_app")
        scheme, _, rest = self.database_url.partition("://")
        host = rest.rpartition("@")[2]
        return f"{scheme}://machimori_app:{self.app_password()}@{host}"

    def app_password(self) -> str:
        """Return the password that `machimori_app` gets: the one its URL names, else one made for this installation."""
        named = urlsplit(self.app_database_url).password if self.app_database_url else None
        return unquote(named) if named else self.secret("app_password")

    def _embedded_url(self, user: str) -> str:
        socket_dir = quote(str(socket_folder(self.cluster_dir)), safe="")
        return f"postgresql://{user}@{socket_dir}/machimori"


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read `MACHIMORI_*` variables.

    Raises
    ------
    UsageError : a variable is not of its form, or begins with `MACHIMORI_` and is not known.
    """
    known = {
        "MACHIMORI_VAR",
        "MACHIMORI_DATABASE_URL",
        "MACHIMORI_APP_DATABASE_URL",
        "MACHIMORI_SMTP_URL",
        "MACHIMORI_BOUNCE_ADDRESS",
        "MACHIMORI_BOUNCE_MAILBOX",
        "MACHIMORI_DKIM_KEY",
        "MACHIMORI_DKIM_SELECTOR",
        "MACHIMORI_BASE_URL",
        "MACHIMORI_MAIL_FROM",
        "MACHIMORI_JMA_FEED_URL",
        "MACHIMORI_MAX_DOCUMENT_BYTES",
        "MACHIMORI_MAX_ATTACHMENT_BYTES",
        "MACHIMORI_MAX_ATTACHMENTS",
        "MACHIMORI_CHECKIN_DAYS",
        "MACHIMORI_SOURCES",
        "MACHIMORI_PROXIES",
        "MACHIMORI_ALARM_MAIL",
    }
    unknown = sorted(name for name in environ if name.startswith("MACHIMORI_") and name not in known)
    if unknown:
        raise UsageError(
            f"The environment variable {unknown[0]} is not known.",
            f"Known are: {', '.join(sorted(known))}.",
        )
    var_dir = Path(environ.get("MACHIMORI_VAR") or PROJECT_DIR / "var").resolve()
    return Settings(
        var_dir=var_dir,
        sources_path=Path(environ.get("MACHIMORI_SOURCES") or var_dir / "sources.toml").resolve(),
        alarm_mail=tuple(environ.get("MACHIMORI_ALARM_MAIL", "").replace(",", " ").split()),
        database_url=environ.get("MACHIMORI_DATABASE_URL") or None,
        app_database_url=environ.get("MACHIMORI_APP_DATABASE_URL") or None,
        smtp_url=environ.get("MACHIMORI_SMTP_URL") or None,
        bounce_address=environ.get("MACHIMORI_BOUNCE_ADDRESS", ""),
        bounce_mailbox=environ.get("MACHIMORI_BOUNCE_MAILBOX", ""),
        dkim_key=Path(environ["MACHIMORI_DKIM_KEY"]) if environ.get("MACHIMORI_DKIM_KEY") else None,
        dkim_selector=environ.get("MACHIMORI_DKIM_SELECTOR") or "machimori",
        base_url=(environ.get("MACHIMORI_BASE_URL") or "http://127.0.0.1:8000").rstrip("/"),
        mail_from=environ.get("MACHIMORI_MAIL_FROM") or "bosai@machimori.example",
        jma_feed_url=environ.get("MACHIMORI_JMA_FEED_URL", "https://www.data.jma.go.jp/developer/xml/feed").rstrip("/"),
        max_document_bytes=_read_number(environ, "MACHIMORI_MAX_DOCUMENT_BYTES", 20_000_000, "bytes"),
        max_attachment_bytes=_read_number(environ, "MACHIMORI_MAX_ATTACHMENT_BYTES", 20_000_000, "bytes"),
        max_attachments=_read_number(environ, "MACHIMORI_MAX_ATTACHMENTS", 50, "files"),
        checkin_days=_read_number(environ, "MACHIMORI_CHECKIN_DAYS", 90, "days"),
        proxies=_read_number(environ, "MACHIMORI_PROXIES", 0, "proxies"),
    )


def _read_number(environ: Mapping[str, str], name: str, default: int, unit: str) -> int:
    written = environ.get(name, str(default))
    if not written.isdecimal():
        raise UsageError(f"{name} is {written!r}, not a number of {unit}.", f"Set it to e.g. {default}.")
    return int(written)
