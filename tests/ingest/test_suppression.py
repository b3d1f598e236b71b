"""No table tells of fewer than five, neither directly nor by subtraction."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.suppression import LEAST_COUNT, suppress, suppress_total

TABLES = st.dictionaries(st.text(max_size=3), st.integers(0, 60), max_size=15)


@given(TABLES)
def test_a_shown_count_is_none_or_enough(counts):
    assert all(shown in (None, 0) or shown >= LEAST_COUNT for shown in suppress(counts).values())


@given(TABLES)
def test_subtracting_what_is_shown_from_the_total_tells_of_no_single_small_count(counts):
    shown = suppress(counts)
    hidden = [value for value, count in shown.items() if count is None]
    total = suppress_total(sum(counts.values()))
    if hidden and total is not None:
        left = total - sum(count for count in shown.values() if count)
        assert left >= LEAST_COUNT and (len(hidden) > 1 or left == total)


@given(TABLES)
def test_what_is_shown_is_true(counts):
    assert all(shown in (None, counts[value]) for value, shown in suppress(counts).items())


def test_nothing_is_suppressed_without_need():
    assert suppress({"a": 5, "b": 0, "c": 70}) == {"a": 5, "b": 0, "c": 70}


def test_the_smallest_goes_along_with_a_single_small_one():
    assert suppress({"a": 1, "b": 6, "c": 7}) == {"a": None, "b": None, "c": 7}
