from pathlib import Path

import pytest

from gis.errors import UsageError
from ingest.configuration import read_configuration
from ingest.schedule import Schedule


def _file(folder: Path, text: str) -> Path:
    path = folder / "sources.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_is_a_source_with_its_own_options(tmp_path):
    path = _file(
        tmp_path, '[mail]\ntype = "post"\ntitle = "県警"\nevery_s = 60\nsilent_after_s = 900\nurl = "imaps://x"\n'
    )
    (config,), _ = read_configuration(path, ["post"])
    assert (config.name, config.title, config.schedule) == ("mail", "県警", Schedule(60, silent_after_s=900))
    assert config.option("url") == "imaps://x"


def test_without_a_rhythm_a_source_is_only_pushed(tmp_path):
    (config,), _ = read_configuration(_file(tmp_path, '[fire]\ntype = "push"\n'), ["push"])
    assert config.schedule is None


@pytest.mark.parametrize(
    "text",
    [
        '[mail]\ntype = "pigeon"\n',
        "mail = 3\n",
        '[mail]\ntype = "post"\nevery_s = 0\n',
        '[mail]\ntype = "post"\nevery_s = "60"\n',
        '[mail]\ntype = "post"\nevery_s = 60\ntime_limit_s = 0\n',
    ],
)
def test_what_is_not_understood_is_named_and_the_others_stand(tmp_path, text):
    path = _file(tmp_path, text + '[good]\ntype = "post"\n')
    (config,), (fault,) = read_configuration(path, ["post"])
    assert config.name == "good"
    assert "sources.toml" in fault.message
    assert "mail" in fault.message


def test_a_file_that_is_no_toml_is_refused_whole(tmp_path):
    with pytest.raises(UsageError, match=r"sources\.toml is no TOML"):
        read_configuration(_file(tmp_path, "[mail\n"), ["post"])


def test_a_missing_option_is_named(tmp_path):
    (config,), _ = read_configuration(_file(tmp_path, '[mail]\ntype = "post"\n'), ["post"])
    with pytest.raises(UsageError, match="mail: url"):
        config.option("url")
