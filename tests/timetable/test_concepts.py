"""The search in OpenActive's activity list and list of facility types."""

import pytest

from openbooking.timetable.concepts import Vocabulary, entries, find, search
from support.timetables import SQUASH_COURT, YOGA

ACTIVITIES, FACILITY_TYPES = Vocabulary.ACTIVITIES, Vocabulary.FACILITY_TYPES


def labels(text: str, vocabulary: Vocabulary = ACTIVITIES, limit: int = 20) -> list[str]:
    return [concept.label for concept in search(vocabulary, text, limit)]


@pytest.mark.parametrize(("vocabulary", "count"), [(ACTIVITIES, 768), (FACILITY_TYPES, 35)])
def test_a_vocabulary_has_all_its_concepts_with_unique_ids_and_labels(vocabulary: Vocabulary, count: int) -> None:
    concepts = [entry.concept for entry in entries(vocabulary)]
    assert len({concept.id for concept in concepts}) == len({concept.label for concept in concepts}) == count
    assert all(concept.id.startswith(f"https://openactive.io/{vocabulary}#") for concept in concepts)


@pytest.mark.parametrize("text", ["yoga", "YOGA", " Yoga ", "yog", "yöga"])
def test_a_search_finds_labels_by_the_start_of_a_word(text: str) -> None:
    found = labels(text, limit=100)
    assert found[0] == "Yoga"
    assert "Hatha Yoga" in found


def test_labels_that_begin_with_the_text_come_first() -> None:
    found = labels("swimming")
    assert found[0].startswith("Swimming")
    starts = [label.startswith("Swimming") for label in found]
    assert starts == sorted(starts, reverse=True)


def test_a_search_needs_each_word_in_any_order() -> None:
    assert labels("badm walk") == []
    assert "Walking Football" in labels("football walking")


def test_a_search_finds_alternative_labels() -> None:
    assert labels("bjj") == ["Brazilian jiu-jitsu"]


def test_a_search_in_the_middle_of_a_word_finds_nothing() -> None:
    assert labels("oga") == []


@pytest.mark.parametrize("text", ["", "  ", "-", "qqq"])
def test_a_search_for_nothing_finds_nothing(text: str) -> None:
    assert labels(text) == []


def test_a_search_has_a_limit() -> None:
    assert len(labels("s", limit=5)) == 5


@pytest.mark.parametrize("name", [YOGA.id, "Yoga", "yoga"])
def test_a_concept_is_found_by_its_uri_and_its_label(name: str) -> None:
    assert find(ACTIVITIES, name) == YOGA


def test_a_concept_is_found_by_an_alternative_label() -> None:
    found = find(ACTIVITIES, "BJJ")
    assert found
    assert found.label == "Brazilian jiu-jitsu"


def test_a_vocabulary_has_no_concepts_of_the_other() -> None:
    assert find(FACILITY_TYPES, "squash court") == SQUASH_COURT
    assert find(ACTIVITIES, SQUASH_COURT.id) is None
    assert find(ACTIVITIES, "Yog") is None
