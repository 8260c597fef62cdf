"""The result of one check before the start of a server."""

from enum import StrEnum

import msgspec


class Result(StrEnum):
    """How a check ended: a server starts with warnings, but not with a failure."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Finding(msgspec.Struct, frozen=True):
    """What a check has found.

    Attributes:
        check: The subject, such as `database`.
        result: Whether a server would start and do what the settings say.
        message: What was found.
        remedy: What helps; empty if nothing is wrong.
    """

    check: str
    result: Result
    message: str
    remedy: str = ""
