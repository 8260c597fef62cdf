"""Scripted faults of the other Booking System."""

from collections import deque
from typing import Literal, NamedTuple, get_args

Operation = Literal[
    "dataset site",
    "open feed",
    "orders feed",
    "C1",
    "C2",
    "P",
    "B",
    "cancel",
    "update proposal",
    "delete quote",
    "delete order",
    "status",
    "discovery",
    "token",
]
# A status is sent without doing what was asked. "silence": no reply, and nothing is done. "lost after commit": the
# request is carried out, and the connection breaks before the first byte of the reply. "cut": the request is carried
# out, and the connection breaks in the middle of the body.
Fault = int | Literal["silence", "lost after commit", "cut"]

OPERATIONS: frozenset[str] = frozenset(get_args(Operation))


class Script(NamedTuple):
    """How a request is to fail; with the class of an error, the body of a status is that error."""

    fault: Fault
    error: str = ""


class Request(NamedTuple):
    """A request that the system received: its operation, its last path segment, and the status of the reply.

    `status` is None if no reply arrived in full.
    """

    operation: str
    name: str
    status: int | None


class Faults:
    """The faults of the next requests, by operation."""

    def __init__(self) -> None:
        self._next: dict[str, deque[Script]] = {operation: deque() for operation in OPERATIONS}

    def add(self, operation: Operation, script: Script, times: int) -> None:
        """Let the next requests of an operation fail, after those that are to fail already."""
        self._next[operation].extend([script] * times)

    def take(self, operation: str) -> Script | None:
        """Return the script of this request; None if it is to succeed."""
        waiting = self._next.get(operation)
        return waiting.popleft() if waiting else None

    def clear(self) -> None:
        """Forget the faults that have not happened yet."""
        for waiting in self._next.values():
            waiting.clear()
