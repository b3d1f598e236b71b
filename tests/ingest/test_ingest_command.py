import argparse
import dataclasses

import pytest

from gis.errors import UsageError
from tests.ingest.sources.police_tables import table, theft
from tests.ingest.telegrams import forecast, telegram
from webmap.commands import ingest as command


@pytest.fixture
def call(settings, database):
    def run(*arguments, **changes):
        parser = argparse.ArgumentParser()
        command.add_args(parser)
        return command.run(
            parser.parse_args([str(each) for each in arguments]), dataclasses.replace(settings, **changes)
        )

    return run


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "good.xml").write_bytes(telegram("VTSE41", forecast("53")))
    (tmp_path / "bad.xml").write_bytes(b"<broken")
    return tmp_path


def test_a_clean_replay_ends_with_0(call, folder, capsys):
    assert call("replay", folder, "--match", "good*") == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "2031-05-01 10:00:00  good.xml",
        "1 documents: 1 new, 0 unchanged; 1 reports changed; 1 incidents touched",
    ]


def test_a_replay_with_a_dead_letter_ends_with_1_and_says_why(call, folder, capsys):
    assert call("replay", folder) == 1
    assert "dead letter: bad.xml: the document is not XML" in capsys.readouterr().out


def test_a_replay_of_nothing_is_a_mistake(call, folder):
    with pytest.raises(UsageError):
        call("replay", folder, "--match", "none*")


def test_a_real_warning_does_not_go_outside(call, folder, rows):
    with pytest.raises(UsageError, match="people outside"):
        call("replay", folder, smtp_url="smtp://relay.example:25")
    assert rows("SELECT 1 FROM ingest.document") == []


def test_the_list_shows_health_and_dead_letters(call, folder, capsys):
    assert call("list") == 0
    assert "never ran" in capsys.readouterr().out
    call("replay", folder)
    capsys.readouterr()
    call("list")
    said = capsys.readouterr().out
    assert "2 in 2 documents = 1 incidents + 0 updates + 0 about other places + 1 rejected" in said
    assert "every minute at second 20" in said
    assert "bad.xml (document " in said
    assert "the document is not XML" in said


def test_run_polls_the_source(call, feed_server, capsys):
    for name in ("eqvol_l.xml", "extra_l.xml"):
        feed_server.put_feed(name)
    assert call("run", "jma", jma_feed_url=f"{feed_server.base}/feed") == 0
    del feed_server.pages["/feed/extra_l.xml"]
    assert call("run", "jma", jma_feed_url=f"{feed_server.base}/feed") == 1
    assert "failed: " in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [("run", "nobody"), ("run", "jma"), ("replay", "/nowhere", "--source", "nobody")])
def test_what_cannot_be_asked_is_a_mistake(call, arguments):
    with pytest.raises(UsageError):
        call(*arguments)


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "fast"])
def test_a_speed_must_be_a_number_above_0(call, folder, speed):
    with pytest.raises(SystemExit) as stopped:
        call("replay", folder, "--speed", speed)
    assert stopped.value.code == 2


@pytest.fixture
def thefts(tmp_path):
    good, mixed = tmp_path / "good.csv", tmp_path / "mixed.csv"
    good.write_bytes(table(theft(), theft(hour="3")))
    mixed.write_bytes(table(theft("2024/6/1"), theft("2024/6/31"), theft(code="042021", place="宮城県,石巻市")))
    return good, mixed


def test_loading_says_what_became_of_every_row(call, thefts, capsys):
    good, mixed = thefts
    assert call("load", good, "--source", "police_open_data") == 0
    assert "2 reports changed; 2 incidents touched" in capsys.readouterr().out
    assert call("load", good, mixed, "--source", "police_open_data") == 1
    said = capsys.readouterr().out
    assert "good.csv: 1 documents: 0 new, 1 unchanged" in said
    assert "2 reports changed; 1 incidents touched; 1 reports are not about this town; 1 records rejected" in said
    assert "mixed.csv record line 3" in said and "there is no day '2024/6/31'" in said
    assert "no quarters" in said


def test_loading_what_is_no_file_loads_nothing(call, thefts, rows):
    with pytest.raises(UsageError, match="no file"):
        call("load", thefts[0], "missing.csv", "--source", "police_open_data")
    assert rows("SELECT 1 FROM ingest.document") == []


def test_loading_a_real_warning_does_not_go_outside(call, folder, rows):
    with pytest.raises(UsageError, match="people outside"):
        call("load", folder / "good.xml", "--source", "jma", smtp_url="smtp://relay.example:25")
    assert rows("SELECT 1 FROM ingest.document") == []


def test_what_is_long_over_may_be_loaded_where_mails_go_outside(call, thefts):
    assert call("load", thefts[0], "--source", "police_open_data", smtp_url="smtp://relay.example:25") == 0
