"""The lines and columns of keys and elements in TOML documents."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbooking.timetable.files.documents import PartPath
from openbooking.timetable.files.toml_places import toml_places

TEXT = """\
# A comment with = and [brackets]
title = "a # b" # another
'odd key'."x.y" = 1

[ class . spin ]
times = [ # the times
  { days = "Mon", start.at = 18:15:00 }, [1, [2]],
]
text = \"\"\"
[not.a.table]
quotes: \\\"\"\" ""\"\"\"
raw = '''
it's = 'raw' '''
last = {}

[[class.spin.changes]]
date = 2026-10-01 10:00:00
[class.spin.changes.terms]
capacity = 4
[[class.spin.changes]]
date = 2026-11-01
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("title",), "line 2, column 1"),
        (("odd key", "x.y"), "line 3, column 1"),
        (("class",), "line 5, column 1"),
        (("class", "spin", "times"), "line 6, column 1"),
        (("class", "spin", "times", 0), "line 7, column 3"),
        (("class", "spin", "times", 0, "days"), "line 7, column 5"),
        (("class", "spin", "times", 0, "start", "at"), "line 7, column 19"),
        (("class", "spin", "times", 1, 1, 0), "line 7, column 47"),
        (("class", "spin", "text"), "line 9, column 1"),
        (("class", "spin", "raw"), "line 12, column 1"),
        (("class", "spin", "last"), "line 14, column 1"),
        (("class", "spin", "changes", 0), "line 16, column 1"),
        (("class", "spin", "changes", 0, "terms", "capacity"), "line 19, column 1"),
        (("class", "spin", "changes", 1, "date"), "line 21, column 1"),
    ],
)
def test_places_are_those_of_keys_and_elements(path: PartPath, place: str) -> None:
    assert toml_places(TEXT)[path] == place


def paths_of(value: Any, path: PartPath = ()) -> Iterator[PartPath]:
    """Yield the paths of all parts of a document."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in members:
        yield (*path, name)
        yield from paths_of(each, (*path, name))


def test_each_part_of_a_document_has_a_place() -> None:
    assert toml_places(TEXT).keys() == set(paths_of(tomllib.loads(TEXT)))


WORDS = st.text(st.sampled_from("ab \"'#[]{}=,.\\\n\té"), max_size=6)
SPACE = st.sampled_from(["", " ", "\t"])
LINE_BREAK = st.sampled_from(["", "\n", " # a ] comment\n", "\n\n  "])


def _basic(text: str) -> str:
    return '"' + "".join(f"\\u{ord(char):04x}" if char in '"\\\n\t' else char for char in text) + '"'


STRINGS = WORDS.map(_basic) | WORDS.map(lambda text: f"'''{text.replace(chr(39), '')}'''")
KEY_TEXTS = ["a", "b-2", "'c d'", '"e.f"', '"\\""']
KEYS = st.sampled_from(KEY_TEXTS)
SCALARS = st.sampled_from(["1", "-2.5", "true", "2026-10-01 10:00:00", "18:15:00", "inf"]) | STRINGS


def _tables(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(KEYS, SPACE, values), max_size=3, unique_by=lambda pair: pair[0])
    return pairs.map(lambda found: "{" + ", ".join(f"{key}{space}={space}{value}" for key, space, value in found) + "}")


def _arrays(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    elements = st.lists(st.tuples(LINE_BREAK, values, LINE_BREAK), max_size=3)
    return elements.map(lambda found: "[" + ",".join(f"{before}{value}{after}" for before, value, after in found) + "]")


VALUES = st.recursive(SCALARS, lambda values: _arrays(values) | _tables(values), max_leaves=8)
PAIRS = st.lists(st.tuples(KEYS, VALUES), max_size=4, unique_by=lambda pair: pair[0])


HEADERS = {"[[t]]": ("t",), "[[t.u]]": ("t", "u"), '[["v w"]]': ("v w",)}
TABLES = st.lists(st.tuples(st.sampled_from(list(HEADERS)), PAIRS), max_size=4)


@given(TABLES.map(lambda tables: sorted(tables, key=lambda table: table[0] != "[[t]]")))
def test_each_part_of_a_random_document_has_the_place_of_its_text(tables: list[tuple[str, Any]]) -> None:
    text = "\n".join(line for header, pairs in tables for line in (header, *map(" = ".join, pairs)))
    places = toml_places(text)
    assert set(paths_of(tomllib.loads(text))) == places.keys()
    for path, place in places.items():
        line, column = map(int, re.findall(r"\d+", place))
        rest = text.split("\n")[line - 1][column - 1 :]
        if rest.startswith("[["):
            outer = tuple(part for part in path if isinstance(part, str))
            assert HEADERS[rest][: len(outer)] == outer
        elif isinstance(path[-1], str):
            (key,) = (key for key in KEY_TEXTS if rest.startswith(key))
            assert tomllib.loads(f"{key} = 1") == {path[-1]: 1}
