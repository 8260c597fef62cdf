"""The catalogue of error classes, from `openactive/errors.py` and `openactive/remedies.py`."""

import inspect
import re
from collections.abc import Iterator

from openbooking.openactive.errors import ITEM_ERROR_STATUS, ItemErrorType, OpenBookingError, Retry
from openbooking.openactive.remedies import REMEDIES, Remedy
from support.reference.tables import UndocumentedError, code, first_upper, table

_REPEAT = {
    Retry.NEVER: "no, a corrected request with the same UUID",
    Retry.SAME_UUID: "yes, the same request with the same UUID",
    Retry.NEW_UUID: "no, begin again at C1 with another UUID",
}
_QUOTE_AGAIN = "no, send C2 again with the same UUID"
_NOT_RECEIVED = re.compile(r"Brokers never receive|reports E-\d+ instead")
_REQUIREMENT = re.compile(r"\b(?:OB-[A-Z0-9]+|E|AMB)-\d+\b")


def request_errors() -> str:
    """Return the table of the errors of requests that Brokers receive."""
    head = ("Class", "Status", "At fault", "Cause", "What the Broker does", "Repeat", "Requirements")
    return table(head, (_row(error) for error in error_classes() if error.__name__ in REMEDIES))


def item_errors() -> str:
    """Return the table of the errors of OrderItems."""
    rows = ((code(item.value), item.error_name, *_of_remedy(REMEDIES[item.value])) for item in ItemErrorType)
    return f"The status is {ITEM_ERROR_STATUS}.\n\n" + table(
        ("Class", "Cause", "What the Broker does", "Requirements"), rows
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
    type_ = error.__name__ if error.in_specification else OpenBookingError.__name__
    shown = code(type_) if error.in_specification else f"{code(type_)} (in Python {code(error.__name__)})"
    text, ids = _of_remedy(REMEDIES[error.__name__], inspect.getdoc(error) or "")
    fault = "the system" if error.system_at_fault else "the request"
    repeat = _QUOTE_AGAIN if error.quote_again else _REPEAT[error().retry]
    return shown, str(error.status), fault, _cause(error), text, repeat, ids


def _cause(error: type[OpenBookingError]) -> str:
    """Return the first paragraph of the docstring without the id of the requirement at its beginning."""
    first = (inspect.getdoc(error) or "").split("\n\n")[0]
    return first_upper(re.sub(r"^E-\d+: ", "", first))


def _of_remedy(remedy: Remedy, docstring: str = "") -> tuple[str, str]:
    """Return the text of a remedy without ids in brackets, and all ids."""
    ids = dict.fromkeys([*_REQUIREMENT.findall(docstring), remedy.requirement, *_REQUIREMENT.findall(remedy.text)])
    return re.sub(r" \([A-Z0-9-]+(?:, [A-Z0-9-]+)*\)", "", remedy.text), ", ".join(ids)
