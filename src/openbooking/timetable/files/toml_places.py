"""The lines and columns of the keys and elements of a TOML document.

Python's `tomllib` returns none. It has accepted the text before, so this scanner need not report faults of syntax.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

from openbooking.timetable.files.documents import PartPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (r'"""(?:\\.|[^\\])*?"{3,5}', r"'''.*?'{3,5}", r'"(?:\\.|[^"\\])*"', r"'[^']*'")
_STRING = re.compile("|".join(_STRINGS), re.DOTALL)
_SCALAR = re.compile(r"[^,\]}\n#]*")


def toml_places(text: str) -> Mapping[PartPath, str]:
    """Return the place of each key and element of a valid TOML document."""
    scanner = _Scanner(text)
    scanner.scan()
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    return {path: _place(starts, at) for path, at in scanner.found.items()}


def _place(starts: list[int], at: int) -> str:
    line = bisect_right(starts, at)
    return f"line {line}, column {at - starts[line - 1] + 1}"


class _Scanner:
    """Finds the offsets of the keys and elements of a document.

    Attributes:
        found: The offsets, by path.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        # The number of the last element of each array of tables.
        self._last: dict[PartPath, int] = {}
        self.found: dict[PartPath, int] = {}

    def scan(self) -> None:
        """Scan the document."""
        table: PartPath = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._next() == "[":
                table = self._header()
            else:
                self._key_and_value(table)
            self._skip(_BLANK)

    def _header(self) -> PartPath:
        """Scan the header of a table; return the path of the table."""
        start, is_element = self._at, self._text.startswith("[[", self._at)
        self._at += 2 if is_element else 1
        path: PartPath = ()
        *outer, last = self._key()
        for part in outer:
            path = self._element((*path, part), start)
        path = (*path, last)
        if is_element:
            self._last[path] = self._last.get(path, -1) + 1
        path = self._element(path, start)
        self._at += 2 if is_element else 1
        return path

    def _element(self, path: PartPath, start: int) -> PartPath:
        """Return the path of a table: that of the last element of an array of tables."""
        self.found.setdefault(path, start)
        if path in self._last:
            path = (*path, self._last[path])
            self.found.setdefault(path, start)
        return path

    def _key_and_value(self, table: PartPath) -> None:
        start, path = self._at, table
        for part in self._key():
            path = (*path, part)
            self.found.setdefault(path, start)
        self._at += len("=")
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> list[str]:
        """Scan a key, which can have dots, and the space after it."""
        parts = []
        while True:
            self._skip(_SPACE)
            start = self._at
            if self._next() in "\"'":
                self._skip(_STRING)
                parts.append(str(tomllib.loads(f"key = {self._text[start : self._at]}")["key"]))
            else:
                self._skip(_BARE_KEY)
                parts.append(self._text[start : self._at])
            self._skip(_SPACE)
            if self._next() != ".":
                return parts
            self._at += 1

    def _value(self, path: PartPath) -> None:
        match self._next():
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._skip(_STRING)
            case _:
                self._skip(_SCALAR)

    def _array(self, path: PartPath) -> None:
        number = 0
        while self._enter("]"):
            self.found[(*path, number)] = self._at
            self._value((*path, number))
            number += 1

    def _inline_table(self, path: PartPath) -> None:
        while self._enter("}"):
            self._key_and_value(path)

    def _enter(self, closing: str) -> bool:
        """Pass the bracket or comma before an element; return whether there is an element, or else pass the end."""
        self._skip(_BLANK)
        if self._next() != closing:
            self._at += 1
            self._skip(_BLANK)
        if self._next() != closing:
            return True
        self._at += 1
        return False

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
