"""The three-way merge of values, tried with generated ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from layers.merge import changed_names, merge

_VALUES = st.fixed_dictionaries({name: st.sampled_from([None, 1, 2, 3]) for name in "abc"})


@given(_VALUES, _VALUES, _VALUES)
def test_where_nothing_collides_the_order_of_the_two_does_not_matter(
    base: dict[str, int], theirs: dict[str, int], mine: dict[str, int]
) -> None:
    forth, back = merge(base, theirs, mine), merge(base, mine, theirs)
    assert forth.colliding == back.colliding
    assert (forth.values == back.values) or forth.colliding


@given(_VALUES, _VALUES, _VALUES)
def test_every_change_of_either_side_is_in_the_result_or_in_dispute(
    base: dict[str, int], theirs: dict[str, int], mine: dict[str, int]
) -> None:
    result = merge(base, theirs, mine)
    for name in changed_names(base, theirs):
        assert result.values[name] == theirs[name] or name in result.colliding
    for name in changed_names(base, mine):
        assert result.values[name] == mine[name]
    for name in set(base) - set(result.theirs) - set(result.mine):
        assert result.values[name] == base[name]


@given(_VALUES, _VALUES)
def test_a_side_that_changed_nothing_never_collides(base: dict[str, int], theirs: dict[str, int]) -> None:
    assert merge(base, theirs, base).values == theirs
    assert merge(base, base, theirs).values == theirs
    assert merge(base, theirs, base).colliding == merge(base, theirs, theirs).colliding == ()


def test_an_attribute_added_to_the_layer_meanwhile_is_kept() -> None:
    result = merge({"a": 1}, {"a": 1, "new": 5}, {"a": 2})
    assert (result.values, result.colliding) == ({"a": 2, "new": 5}, ())
