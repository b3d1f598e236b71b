"""Code lists find the stored value by every name a file may use."""

from __future__ import annotations

import pytest

from gis.settings import DATA_DIR
from layers.codes import load_code_list


@pytest.mark.parametrize("written", ["pvc", "硬質塩化ビニル管", "PVC", "VU"])
def test_a_value_is_found_by_itself_its_names_and_its_aliases(written: str) -> None:
    assert load_code_list("sewer_material").find(written) == "pvc"


def test_an_unknown_name_is_not_guessed() -> None:
    assert load_code_list("sewer_material").find("竹") is None


def test_no_name_of_a_shipped_list_means_two_values() -> None:
    for path in sorted((DATA_DIR / "codes").glob("*.toml")):
        codes = load_code_list(path.stem).codes
        names = [name for code in codes for name in {code.value, *code.names.values(), *code.aliases}]
        assert len(names) == len(set(names)), path.name
