"""OpenActive's activity list and list of facility types, with search by label.

The data files in `vocabularies` are made of https://openactive.io/activity-list and
https://openactive.io/facility-types, which are published under the licence Creative Commons Attribution 4.0.
"""

import re
import unicodedata
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from openbooking.booking.model.timetable import Concept
from openbooking.openactive.terms import OPENACTIVE

_WORD = re.compile(r"[^\W_]+")


class Vocabulary(StrEnum):
    """The vocabularies, by the last part of their URI."""

    ACTIVITIES = "activity-list"
    FACILITY_TYPES = "facility-types"


Words = tuple[str, ...]


class Entry(NamedTuple):
    """An entry of a vocabulary.

    Attributes:
        concept: The concept.
        label: The words of its label.
        others: The words of each alternative label.
    """

    concept: Concept
    label: Words
    others: tuple[Words, ...]


@cache
def entries(vocabulary: Vocabulary) -> tuple[Entry, ...]:
    """Return the entries of a vocabulary in the order of their labels."""
    text = files(__package__).joinpath("vocabularies", f"{vocabulary}.tsv").read_text(encoding="utf-8")
    return tuple(_entry(vocabulary, line) for line in text.splitlines() if not line.startswith("#"))


def search(vocabulary: Vocabulary, text: str, limit: int = 20) -> tuple[Concept, ...]:
    """Return the concepts with a label that has a word for each word of a text, or a word that begins with it.

    Labels that begin with the text come first, then other labels, then alternative labels.

    Args:
        vocabulary: The vocabulary.
        text: What a person has typed, in capital or small letters, with or without accents.
        limit: How many concepts are returned at most.
    """
    wanted = _words(text)
    if not wanted:
        return ()
    ranked = [(_rank(entry, wanted), number) for number, entry in enumerate(entries(vocabulary))]
    found = sorted((rank, number) for rank, number in ranked if rank is not None)
    return tuple(entries(vocabulary)[number].concept for _, number in found[:limit])


def find(vocabulary: Vocabulary, name: str) -> Concept | None:
    """Return the concept with this URI, label or alternative label, or None. Capital and small letters are the same."""
    wanted = name if "#" in name else " ".join(_words(name))
    return _by_name(vocabulary).get(wanted)


@cache
def _by_name(vocabulary: Vocabulary) -> dict[str, Concept]:
    """Return the concepts by URI and by label. A label precedes an alternative label."""
    found: dict[str, Concept] = {}
    for entry in entries(vocabulary):
        found |= {" ".join(other): entry.concept for other in entry.others}
    for entry in entries(vocabulary):
        found |= {entry.concept.id: entry.concept, " ".join(entry.label): entry.concept}
    return found


def _entry(vocabulary: Vocabulary, line: str) -> Entry:
    id_, label, others = (*line.split("\t"), "")[:3]
    concept = Concept(f"{OPENACTIVE}{vocabulary}#{id_}", label)
    return Entry(concept, _words(label), tuple(_words(other) for other in others.split("|")) if others else ())


def _rank(entry: Entry, wanted: Words) -> int | None:
    """Return how well an entry fits, 0 for best; None if it does not fit."""
    if " ".join(entry.label).startswith(" ".join(wanted)):
        return 0
    if _has(entry.label, wanted):
        return 1
    return 2 if any(_has(other, wanted) for other in entry.others) else None


def _has(words: Words, wanted: Words) -> bool:
    return all(any(word.startswith(each) for word in words) for each in wanted)


def _words(text: str) -> Words:
    """Return the words of a text in small letters without accents."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return tuple(_WORD.findall(plain.casefold()))
