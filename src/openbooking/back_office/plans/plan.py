"""Decisions of a Seller that are planned, described and perhaps confirmed before they are made.

A plan has a Command, which decides on what is there when it is executed.
"""

from typing import Any, NamedTuple

from openbooking.booking.command import Command


class Plan(NamedTuple):
    """A decision that is ready to be made.

    Attributes:
        command: The command.
        done: The sentence for people after the decision.
        effect: What people should know before the decision; empty if there is nothing.
        question: What to ask them then; empty if the decision can be made without a question.
        number: The number that is the answer to the question; None for a yes.
    """

    command: Command[Any]
    done: str
    effect: str = ""
    question: str = ""
    number: int | None = None


def count(number: int, noun: str) -> str:
    """Return a number with its noun, which gets an s unless the number is one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
