"""Plans of faults: which of the next requests meet which fault."""

from collections.abc import Callable, Collection
from enum import StrEnum
from random import Random
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from openbooking.sandbox.exchanges.operations import FEEDS, Operation

MOST_PLANS = 100
_Count = Annotated[int, Meta(ge=1, le=1_000_000)]
_Seconds = Annotated[float, Meta(ge=0, le=600)]
_SILENT_SECONDS, _RETRY_AFTER_SECONDS = 40, 5


class FaultKind(StrEnum):
    """The kinds of faults."""

    FAILED = "500"
    UNAVAILABLE = "503"
    TOO_MANY_REQUESTS = "429"
    SILENCE = "silence"
    LOST = "lost"
    CUT = "cut"
    REPEATED_PAGE = "repeated-page"
    STALE_PAGE = "stale-page"

    @property
    def description(self) -> str:
        """What happens, in words."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    FaultKind.FAILED: "the request takes effect, and is answered with 500",
    FaultKind.UNAVAILABLE: "the request is answered with 503 and has no effect",
    FaultKind.TOO_MANY_REQUESTS: "the request is answered with 429 and has no effect",
    FaultKind.SILENCE: "the request takes effect, and its answer comes late",
    FaultKind.LOST: "the request takes effect, and the connection is closed without an answer",
    FaultKind.CUT: "the request takes effect, and the connection is closed in the body of the answer",
    FaultKind.REPEATED_PAGE: "the page of the feed before the requested one is served again",
    FaultKind.STALE_PAGE: "the requested page of the feed is served as it was before its last change",
}
# Requests with these faults do not reach the Booking System.
REFUSALS = frozenset({FaultKind.UNAVAILABLE, FaultKind.TOO_MANY_REQUESTS})
PAGE_FAULTS = frozenset({FaultKind.REPEATED_PAGE, FaultKind.STALE_PAGE})


class FaultPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A plan of faults.

    Attributes:
        kind: The kind of the fault.
        next: How many requests meet the fault; None for no limit, which needs a share.
        share: The share of the requests that meet the fault, chosen at random: 0.1 for a tenth.
        skip: How many requests pass before the first one that can meet the fault.
        operation: The operations that meet the fault; empty for all. Faults of pages are for feeds only.
        method: The HTTP method of the requests; empty for all.
        path: A part of the paths of the requests; empty for all.
        retry_after: The seconds in the header Retry-After of 503 and 429; None for 5 with 429, and none with 503.
        seconds: How long a silence lasts.
    """

    kind: FaultKind
    next: _Count | None = None
    share: Annotated[float, Meta(gt=0, le=1)] | None = None
    skip: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    operation: frozenset[Operation] = frozenset()
    method: str = ""
    path: str = ""
    retry_after: Annotated[int, Meta(ge=0, le=86_400)] | None = None
    seconds: _Seconds = _SILENT_SECONDS

    def __post_init__(self) -> None:
        """Raise ValueError for a fault of pages that no feed can meet."""
        if self.kind in PAGE_FAULTS and self.operation - FEEDS:
            raise ValueError(f"`operation` must be a feed, because {self.kind.value} is a fault of feeds")

    @property
    def retry_after_seconds(self) -> int | None:
        """The seconds in the header Retry-After; None to leave the header out."""
        is_limit = self.kind is FaultKind.TOO_MANY_REQUESTS
        return _RETRY_AFTER_SECONDS if self.retry_after is None and is_limit else self.retry_after

    def fits(self, request: "Facts") -> bool:
        """Return whether a request can meet the fault."""
        operations = self.operation or (FEEDS if self.kind in PAGE_FAULTS else frozenset())
        return (
            (not operations or request.operation in operations)
            and self.method.upper() in ("", request.method)
            and self.path in request.path
        )


class Facts(NamedTuple):
    """The facts about a request on which plans depend."""

    operation: Operation
    method: str
    path: str


class _Running(msgspec.Struct):
    """A plan with the number of requests that still pass, and of those that will meet the fault."""

    plan: FaultPlan
    skip: int
    left: int | None


class FaultPlans:
    """The plans that are not finished. The first plan that fits a request is played.

    Args:
        seed: The seed of the random choice of a share. The same requests meet the same faults.
    """

    def __init__(self, seed: int = 1) -> None:
        self._seed = seed
        self._running: list[_Running] = []
        self._random = self._new_random()

    def add(self, plan: FaultPlan) -> None:
        """Add a plan after the others. A plan with neither a number nor a share is for one request.

        Raises:
            TooManyPlansError: There are 100 plans already.
        """
        if len(self._running) >= MOST_PLANS:
            raise TooManyPlansError
        left = 1 if plan.next is None and plan.share is None else plan.next
        self._running.append(_Running(plan, plan.skip, left))

    def all(self) -> list[FaultPlan]:
        """Return the plans that are not finished, with the numbers that are left."""
        return [
            msgspec.structs.replace(running.plan, skip=running.skip, next=running.left) for running in self._running
        ]

    def clear(self) -> None:
        """Forget all plans, and begin the random choices again."""
        self._running.clear()
        self._random = self._new_random()

    def take(
        self, kinds: Collection[FaultKind], request: Facts, can_play: Callable[[FaultKind], bool]
    ) -> FaultPlan | None:
        """Return the plan of the fault that a request meets, and count the request; None if it meets no fault.

        Args:
            kinds: The kinds of faults that come into question.
            request: The facts about the request.
            can_play: Returns whether a kind of fault can be played. A request for which it cannot is not counted.
        """
        for running in self._running:
            plan = running.plan
            if plan.kind in kinds and plan.fits(request) and can_play(plan.kind) and self._is_met(running):
                if running.left is not None:
                    running.left -= 1
                if running.left == 0:
                    self._running.remove(running)
                return plan
        return None

    def _is_met(self, running: _Running) -> bool:
        if running.skip:
            running.skip -= 1
            return False
        return running.plan.share is None or self._random.random() < running.plan.share

    def _new_random(self) -> Random:
        return Random(self._seed)  # noqa: S311 - a choice that can be repeated


class TooManyPlansError(Exception):
    """There are 100 plans already."""
