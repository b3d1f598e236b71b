"""The whole installation with real processes: started, killed, started again, stopped."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gis.embedded import embedded_cluster
from gis.settings import PROJECT_DIR, Settings


@dataclass
class Installation:
    """An installation in a folder of its own, on a port of its own."""

    settings: Settings
    port: int
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def up(self) -> subprocess.Popen[str]:
        """Run `up`; its console is the process's `stdout`."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "webmap.cli", "up", "--port", str(self.port)],
            cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={
                **os.environ, "PYTHONPATH": str(PROJECT_DIR), "MACHIMORI_VAR": str(self.settings.var_dir),
                "MACHIMORI_JMA_FEED_URL": "",
            },
        )  # fmt: skip
        self.started.append(process)
        return process

    def answer(self, path: str) -> int:
        """Return the status code of a page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as response:
            return int(response.status)


@pytest.fixture
def installation() -> Iterator[Installation]:
    """A fresh installation; whatever is left of it is ended."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="mm-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        installation = Installation(Settings(var_dir=Path(folder) / "var"), port)
        yield installation
        for process in installation.started:
            process.terminate()
            process.wait()
        embedded_cluster(installation.settings).stop()


def _read_until_up(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    seen = ""
    for line in process.stdout:
        seen += line
        if "Ctrl-C stops all of it" in line:
            return seen
    raise AssertionError(f"up ended before it was up:\n{seen}")


def test_up_starts_survives_kill_9_says_when_it_runs_already_and_stops_cleanly(installation: Installation) -> None:
    first = installation.up()
    console = _read_until_up(first)
    assert f"http://127.0.0.1:{installation.port}/" in console
    assert re.search(r"logins +admin, sato, suzuki, yamada +password: \S{20,}", console)
    assert installation.answer("/readyz") == 200
    assert installation.answer("/list") == 200

    twice, _ = installation.up().communicate()
    assert f"machimori is already up here (process {first.pid})" in twice

    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    second = installation.up()
    console = _read_until_up(second)
    assert "drill" not in console, "the demonstration is made once"
    assert installation.answer("/readyz") == 200

    second.send_signal(signal.SIGTERM)
    rest, _ = second.communicate()
    assert rest.splitlines()[-1] == "stopped"
    assert second.returncode == 0
    assert not embedded_cluster(installation.settings).is_running()
    assert not (installation.settings.var_dir / "run" / "children").exists()


def test_a_port_in_use_ends_up_with_one_sentence(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", installation.port)):
        process = installation.up()
        console, _ = process.communicate()
    assert process.returncode == 2
    assert f"machimori: Port {installation.port} is in use." in console
    assert "Traceback" not in console
    assert not installation.settings.cluster_dir.exists(), "refused before anything was made"
