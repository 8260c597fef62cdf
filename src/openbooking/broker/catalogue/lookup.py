"""Looks up single Opportunities of the catalogue by their `@id`s."""

from collections.abc import Sequence
from typing import Any

from openbooking.broker.catalogue.index import Occurrences
from openbooking.broker.catalogue.things import MOST_PARENTS, digest, join
from openbooking.broker.store.database import Transaction


def find_opportunity(transaction: Transaction, system: str, id_: str) -> dict[str, Any] | None:
    """Return the properties of an Opportunity together with those that it inherits; None if the feeds do not have it.

    Args:
        transaction: A transaction.
        system: The URL of the Booking System.
        id_: The `@id` of the Opportunity.
    """
    number = digest(system, id_)
    occurrences = Occurrences(transaction, {}, whole=True)
    occurrences.find([number])
    first = occurrences.first(number)
    return join(occurrences.chain(first)) if first else None


def last_change(transaction: Transaction) -> int:
    """Return the position up to which items have been processed. It grows with every change of the catalogue."""
    row = transaction.execute("SELECT position FROM catalogue_progress").fetchone()
    return int(row[0]) if row else 0


def changed_since(transaction: Transaction, system: str, ids: Sequence[str], position: int) -> set[str]:
    """Return those of the Opportunities that have changed after a position, themselves or by one of their parents.

    Args:
        transaction: A transaction.
        system: The URL of the Booking System.
        ids: The `@id`s of the Opportunities.
        position: The position.
    """
    return {id_ for id_ in ids if _position_of(transaction, digest(system, id_)) > position}


def _position_of(transaction: Transaction, number: int) -> int:
    """Return the highest position of the items that have a thing or one of its parents; 0 if there is none."""
    highest, numbers = 0, {number}
    for _ in range(MOST_PARENTS + 1):
        if not numbers:
            break
        marks = ", ".join("?" * len(numbers))
        rows = transaction.execute(
            "SELECT thing.parent, item.position FROM catalogue_thing thing"  # noqa: S608 - marks only
            f" JOIN harvest_item item ON item.number = thing.owner WHERE thing.thing IN ({marks})",
            sorted(numbers),
        ).fetchall()
        highest = max([highest, *(position for _, position in rows)])
        numbers = {parent for parent, _ in rows if parent} - numbers
    return highest
