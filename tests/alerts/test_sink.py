"""The benchmark's own parts: its sink counts as a server, its command knows its benchmarks."""

from __future__ import annotations

import argparse
import smtplib

import pytest

from bench.alert_path import sink
from gis.errors import UsageError
from gis.settings import PROJECT_DIR, Settings
from webmap.commands import bench


def test_the_sink_takes_mail_as_a_server_does() -> None:
    with sink() as port, smtplib.SMTP("127.0.0.1", port) as smtp:
        for _ in range(3):
            assert smtp.sendmail("a@machimori.example", ["b@machimori.example"], b"Subject: x\r\n\r\n.dot\r\n") == {}


def test_every_benchmark_is_there() -> None:
    for name in bench.BENCHMARKS:
        assert (PROJECT_DIR / "bench" / f"{name}.py").exists()


def test_an_unknown_benchmark_is_named(settings: Settings) -> None:
    with pytest.raises(UsageError, match="no benchmark 'x'"):
        bench.run(argparse.Namespace(rest=["x"]), settings)
