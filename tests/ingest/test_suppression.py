"""No table tells of fewer than five, neither directly nor by subtraction."""

from collections import defaultdict
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from ingest.suppression import LEAST_COUNT, suppress, suppress_tables

TABLES = st.dictionaries(st.text(max_size=3), st.integers(0, 60), max_size=15)


def _published(counts):
    """Return what the public reads of a table and its total."""
    shown = suppress_tables({"total": {"": sum(counts.values())}, "quarter": counts})
    return shown["quarter"], shown["total"][""]


@given(TABLES)
def test_a_shown_count_is_none_or_enough(counts):
    shown, total = _published(counts)
    assert all(count in (None, 0) or count >= LEAST_COUNT for count in [*shown.values(), total])


@given(TABLES)
def test_subtracting_what_is_shown_from_the_total_tells_of_no_small_count(counts):
    shown, total = _published(counts)
    hidden = [value for value, count in shown.items() if count is None]
    if hidden and total is not None:
        left = total - sum(count for count in shown.values() if count)
        # There is one at least in each of the others: what remains is the most that one of them can be.
        assert len(hidden) > 1 and left - (len(hidden) - 1) >= LEAST_COUNT


def test_who_knows_the_rule_and_tries_every_table_finds_two_that_say_the_same_and_differ_in_each_hidden_count():
    told = defaultdict(list)
    for counts in product(range(1, 13), repeat=3):
        shown, total = _published(dict(zip("abc", counts, strict=True)))
        told[*shown.values(), total].append(counts)
    for said, tables in told.items():
        for place, count in enumerate(said[:3]):
            # At the end of what was tried the next table is missing.
            is_whole = max(map(max, tables)) < 12
            assert count is not None or not is_whole or len({table[place] for table in tables}) > 1, (said, tables)


@given(TABLES)
def test_what_is_shown_is_true(counts):
    shown, total = _published(counts)
    assert all(count in (None, counts[value]) for value, count in shown.items())
    assert total in (None, sum(counts.values()))


def test_nothing_is_suppressed_without_need():
    assert suppress({"a": 5, "b": 0, "c": 70}) == {"a": 5, "b": 0, "c": 70}


def test_the_smallest_goes_along_with_a_single_small_one():
    assert suppress({"a": 1, "b": 6, "c": 7}) == {"a": None, "b": None, "c": 7}


def test_equals_go_together():
    assert suppress({"a": 4, "b": 5, "c": 5, "d": 6}) == {"a": None, "b": None, "c": None, "d": 6}


def test_one_in_each_of_five_quarters_is_not_to_be_had_from_their_sum():
    ones = dict.fromkeys("abcde", 1)
    assert suppress({**ones, "f": 6, "g": 50}) == {**dict.fromkeys("abcdef"), "g": 50}
    assert _published(ones) == (dict.fromkeys("abcde"), None)


def test_what_one_table_cannot_hide_no_other_tells():
    ones = dict.fromkeys("abcdefg", 1)
    shown = suppress_tables({"quarter": ones, "month": {"05": 7, "06": 0}, "total": {"": 7}})
    assert shown == {"quarter": dict.fromkeys("abcdefg"), "month": {"05": None, "06": 0}, "total": {"": None}}
