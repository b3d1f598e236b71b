"""Begin a new source: three files that work, to be made one's own."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from gis.errors import UsageError
from gis.settings import DATA_DIR, PROJECT_DIR
from gis.town import load_town

_SKELETON_DIR = DATA_DIR / "source_skeleton"
_SKELETON = {
    "source.py.txt": "ingest/sources/{name}.py",
    "test.py.txt": "tests/ingest/sources/test_{name}.py",
    "input.csv": "tests/ingest/sources/inputs/{name}.csv",
}


KINDS = ("push", "feed", "folder")


def write_source(name: str, project_dir: Path = PROJECT_DIR, kind: str = "push") -> list[Path]:
    """Write source, test and input of a new source; return their paths.

    Parameters
    ----------
    kind : `push` is there at once; `feed` (a URL) and `folder` (files dropped there) need a table in the sources file.

    Raises
    ------
    UsageError : the name is malformed, or one of the files is there already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,29}", name):
        raise UsageError(f"{name!r} is no name for a source.", "Use small letters, digits and _; begin with a letter.")
    paths = {part: project_dir / path.format(name=name) for part, path in _SKELETON.items()}
    for path in paths.values():
        if path.exists():
            raise UsageError(f"{path} is there already.", "Choose another name.")
    lon, lat = load_town().center
    imports, _, maker = (_SKELETON_DIR / f"{kind}.txt").read_text(encoding="utf-8").partition("---\n")
    words = {"name": name, "lon": lon, "lat": lat}
    words |= {"imports": imports, "maker": Template(maker).safe_substitute(words)}
    for part, path in paths.items():
        text = (_SKELETON_DIR / part).read_text(encoding="utf-8")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).safe_substitute(words), encoding="utf-8")
    return list(paths.values())
