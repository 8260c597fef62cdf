"""Cursors are read as they were written, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbooking.booking.views import InvalidCursorError
from openbooking.store.views.cursor import LARGEST, read_cursor, write_cursor

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)


@given(st.tuples(st.integers(0, LARGEST), TEXTS, TEXTS))
def test_a_cursor_is_read_as_it_was_written(position: tuple[int, str, str]) -> None:
    assert read_cursor(write_cursor(position), (0, "", "")) == position


@given(st.text(max_size=40))
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InvalidCursorError):
        read_cursor(text, (0, "", "", "", "", ""))


@pytest.mark.parametrize(
    "position", [(-1, "x"), (LARGEST + 1, "x"), (1, 1), ("x", "x"), (1,), (1, "x", "x"), (1, "\0")]
)
def test_positions_of_other_lists_are_refused(position: tuple[int | str, ...]) -> None:
    with pytest.raises(InvalidCursorError):
        read_cursor(write_cursor(position), (0, ""))
