"""Files on their way to becoming a layer: kept in `var/uploads` for their owner alone, for a day at most."""

from __future__ import annotations

import re
import secrets
import shutil
import time
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from werkzeug.datastructures import FileStorage

from gis.errors import Phrase, UsageError
from gis.jobs import context, task
from gis.settings import Settings
from layers.reading import SHEET_SUFFIXES, VECTOR_SUFFIXES, list_tables
from webmap.upload_kinds import require_kind

MOST_UPLOAD_BYTES = 60_000_000
_MOST_UNPACKED_BYTES = 300_000_000
_MOST_FILES = 200
_KEPT_S = 24 * 3600
_SIDE_SUFFIXES = (".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".xsd")
_KNOWN = ", ".join((*VECTOR_SUFFIXES, *SHEET_SUFFIXES))
_SUFFIXES = (*SHEET_SUFFIXES, *VECTOR_SUFFIXES, *_SIDE_SUFFIXES)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


class UnknownUploadError(UsageError):
    """There is no such upload, it was somebody else's, or its day is over."""


@dataclass(frozen=True)
class Upload:
    """One or several files that somebody brought.

    Attributes
    ----------
    files : those that can be read as features; a Shapefile's companions stand beside it.
    """

    token: str
    files: tuple[Path, ...]

    def choices(self) -> list[tuple[str, str]]:
        """Return every (file name, table) that can become a layer.

        Raises
        ------
        UsageError : a file cannot be read.
        """
        return [(path.name, table) for path in self.files for table in list_tables(path)]

    def file(self, name: str) -> Path:
        """Return the file of that name, or the first."""
        return next((path for path in self.files if path.name == name), self.files[0])


def keep_upload(settings: Settings, account: str, sent: Sequence[FileStorage]) -> Upload:
    """Keep the files of a form; a zip is unpacked.

    Raises
    ------
    UsageError : nothing was sent, a file is of no kind that is read, or unpacks into too much.
    """
    named = [one for one in sent if one.filename]
    if not named:
        raise UsageError("No file was sent.", "Choose a file.")
    token = secrets.token_urlsafe(16)
    folder = _folder(settings, token)
    (folder / "files").mkdir(parents=True, mode=0o700)
    (folder / "account").write_text(account, encoding="utf-8")
    try:
        for one in named[:_MOST_FILES]:
            _keep(one, folder / "files")
        upload = open_upload(settings, account, token)
        for path in upload.files:
            require_kind(path)
    except BaseException:
        shutil.rmtree(folder)
        raise
    return upload


def open_upload(settings: Settings, account: str, token: str) -> Upload:
    """Return an upload of this account.

    Raises
    ------
    UnknownUploadError : there is none, or it is somebody else's.
    UsageError : none of its files can be read as features.
    """
    folder = _folder(settings, token) if _TOKEN.fullmatch(token) else None
    if folder is None or not (folder / "account").is_file():
        raise UnknownUploadError("This upload is not there any more.", "Send the file again.")
    if (folder / "account").read_text(encoding="utf-8") != account:
        raise UnknownUploadError("This upload is not there any more.", "Send the file again.")
    every = sorted((folder / "files").iterdir())
    files = tuple(path for path in every if path.suffix.lower() in (*SHEET_SUFFIXES, *VECTOR_SUFFIXES))
    if not files:
        raise UsageError(
            "Nothing in it can be read: %(files)s.",
            "Kinds that are read: %(known)s, and a zip of them.",
            files=", ".join(path.name for path in every) or Phrase("it is empty"),
            known=_KNOWN,
        )
    return Upload(token, files)


def drop_upload(settings: Settings, token: str) -> None:
    """Forget an upload that has served; a second call finds nothing to do."""
    if _TOKEN.fullmatch(token):
        shutil.rmtree(_folder(settings, token), ignore_errors=True)


def remove_old_uploads(settings: Settings) -> int:
    """Remove what was kept for more than a day; return how many uploads that were."""
    found = [
        folder for folder in (settings.var_dir / "uploads").glob("*") if time.time() - folder.stat().st_mtime > _KEPT_S
    ]
    for folder in found:
        shutil.rmtree(folder)
    return len(found)


@task("webmap.remove_old_uploads", queue="gis")
def remove_old_uploads_job() -> None:
    """Run `remove_old_uploads` as a job."""
    remove_old_uploads(context().settings)


def _folder(settings: Settings, token: str) -> Path:
    return settings.var_dir / "uploads" / token


def _keep(sent: FileStorage, folder: Path) -> None:
    name = _safe_name(sent.filename or "")
    if name.lower().endswith(".zip"):
        _unpack(sent, name, folder)
        return
    if Path(name).suffix.lower() not in _SUFFIXES:
        raise UsageError(
            "%(file)s is of no kind that is read.",
            "Kinds that are read: %(known)s, and a zip of them.",
            file=name,
            known=_KNOWN,
        )
    with (folder / name).open("xb") as kept:
        shutil.copyfileobj(sent.stream, kept)


def _unpack(sent: FileStorage, name: str, folder: Path) -> None:
    try:
        with zipfile.ZipFile(sent.stream) as archive:
            wanted = [entry for entry in archive.infolist() if Path(entry.filename).suffix.lower() in _SUFFIXES]
            if len(wanted) > _MOST_FILES or sum(entry.file_size for entry in wanted) > _MOST_UNPACKED_BYTES:
                raise UsageError(
                    "%(name)s unpacks into more than %(megabytes)s MB or %(files)s files.",
                    "Send the part that is needed.",
                    name=name,
                    megabytes=_MOST_UNPACKED_BYTES // 1_000_000,
                    files=_MOST_FILES,
                )
            for entry in wanted:
                _unpack_entry(archive, entry, folder)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise UsageError(
            "%(name)s cannot be unpacked: %(error)s", "Make the zip again, without a password.", name=name, error=error
        ) from error


def _unpack_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    # The folders inside do not matter, and names from there never become paths. Japanese Windows writes cp932.
    said = entry.filename
    if not entry.flag_bits & 0x800:
        said = said.encode("cp437", errors="replace").decode("cp932", errors="replace")
    target = folder / _safe_name(said)
    if target.exists():
        raise UsageError("The zip holds %(file)s twice.", "Send one of them.", file=target.name)
    left = entry.file_size  # what the list of contents says; the content itself must not be more
    with archive.open(entry) as packed, target.open("xb") as kept:
        while chunk := packed.read(1_000_000):
            left -= len(chunk)
            if left < 0:
                raise UsageError("%(file)s is larger than the zip says.", "Make the zip again.", file=target.name)
            kept.write(chunk)


def _safe_name(said: str) -> str:
    """Return a file name without folders, control characters or a leading dot, of at most 80 letters."""
    last = unicodedata.normalize("NFC", said).replace("\\", "/").rpartition("/")[2]
    plain = "".join(letter for letter in last if letter.isprintable() and letter not in '<>:"|?*').lstrip(". ")
    stem, dot, suffix = plain.rpartition(".")
    if not stem:
        raise UsageError("%(said)r is no name for a file.", "Give it a name with an ending such as .csv.", said=said)
    return f"{stem[:70]}{dot}{suffix[:10]}"
