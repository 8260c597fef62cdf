"""The catalogue of error classes, from `openactive/errors.py` and `openactive/remedies.py`."""

import inspect
import re
from collections.abc import Iterator

from openbooking.openactive.errors import OpenBookingError, Retry
from openbooking.openactive.item_errors import ITEM_ERROR_STATUS, ItemErrorType
from openbooking.openactive.remedies import REMEDIES, Remedy
from support.reference.tables import UndocumentedError, code, first_upper, table

_REPEAT = {
    Retry.NEVER: "no, correct the request first",
    Retry.SAME_UUID: "yes, the same request with the same UUID",
    Retry.NEW_UUID: "no, begin again at C1 with another UUID",
}
_QUOTE_AGAIN = "no, send C2 again with the same UUID"
_NOT_RECEIVED = re.compile(r"Brokers never receive|reports E-\d+ instead")
_REQUIREMENT = re.compile(r"\b(?:OB-[A-Z0-9]+|E|AMB)-\d+\b")


def request_errors() -> str:
    """Return a table of the errors of requests that Brokers receive, and a section for each class."""
    received = [error for error in error_classes() if error.__name__ in REMEDIES]
    rows = table(("Class", "Status", "At fault", "Same request again"), map(_row, received))
    return "\n".join([rows, *map(_section, received)])


def item_errors() -> str:
    """Return a section for each class of the errors of OrderItems."""
    return f"The status is {ITEM_ERROR_STATUS}.\n\n" + "\n".join(
        _described(item.value, item.error_name, REMEDIES[item.value]) for item in ItemErrorType
    )


def unused_errors() -> str:
    """Return the table of the classes that Brokers do not receive from this system.

    Raises:
        UndocumentedError: The docstring of a class without a remedy does not say that Brokers never receive it.
    """
    unused = [error for error in error_classes() if error.__name__ not in REMEDIES]
    for error in unused:
        if not _NOT_RECEIVED.search(_cause(error)):
            raise UndocumentedError(f"{error.__name__} has no remedy in openactive/remedies.py.")
    return table(("Class", "Meaning"), ((code(error.__name__), _cause(error)) for error in unused))


def error_classes() -> list[type[OpenBookingError]]:
    """Return the base class and all classes of errors of requests in the order of the module."""
    return [OpenBookingError, *_below(OpenBookingError)]


def _below(base: type[OpenBookingError]) -> Iterator[type[OpenBookingError]]:
    for error in base.__subclasses__():
        if error.__module__ == OpenBookingError.__module__:
            yield error
            yield from _below(error)


def _row(error: type[OpenBookingError]) -> tuple[str, ...]:
    fault = "the system" if error.system_at_fault else "the request"
    repeat = _QUOTE_AGAIN if error.quote_again else _REPEAT[error().retry]
    return code(error.__name__), str(error.status), fault, repeat


def _section(error: type[OpenBookingError]) -> str:
    type_ = "" if error.in_specification else f"The `@type` is `{OpenBookingError.__name__}`."
    return _described(error.__name__, f"{_cause(error)} {type_}", REMEDIES[error.__name__], _first_paragraph(error))


def _described(name: str, cause: str, remedy: Remedy, docstring: str = "") -> str:
    """Return the section of a class: its cause, its remedy and the ids of its requirements."""
    ids = dict.fromkeys([*_REQUIREMENT.findall(docstring), remedy.requirement, *_REQUIREMENT.findall(remedy.text)])
    text = re.sub(r" \([A-Z0-9-]+(?:, [A-Z0-9-]+)*\)", "", remedy.text)
    lines = (f"- **Cause**: {cause.strip()}", f"- **Remedy**: {text}", f"- **Requirements**: {', '.join(ids)}")
    return "\n".join([f"### {name}", "", *lines, ""])


def _cause(error: type[OpenBookingError]) -> str:
    """Return the first paragraph of the docstring without the id of the requirement at its beginning."""
    return first_upper(re.sub(r"^E-\d+: ", "", _first_paragraph(error)))


def _first_paragraph(error: type[OpenBookingError]) -> str:
    return (inspect.getdoc(error) or "").split("\n\n")[0]
