"""Remarks on the error classes that Brokers receive."""

from collections.abc import Iterator

from openbooking.openactive.remedies import REMEDIES
from openbooking.sandbox.advice.remark import Remark
from openbooking.sandbox.exchanges.exchange import Exchange


def explain_errors(exchange: Exchange) -> Iterator[Remark]:
    """Yield a remark on each class of errors in an answer that arrived."""
    if not exchange.arrived:
        return
    for class_ in dict.fromkeys(exchange.errors()):
        remedy = REMEDIES.get(_class_of(exchange, class_))
        if remedy:
            yield Remark(remedy.requirement, f"{class_}: {remedy.text}", exchange.number, is_error=True)


def _class_of(exchange: Exchange, reported: str) -> str:
    """Return the class of an error. Classes that the specification lacks are reported as OpenBookingError."""
    return _BY_STATUS.get(exchange.status, reported) if reported == "OpenBookingError" else reported


_BY_STATUS = {
    406: "NotAcceptableError",
    413: "RequestTooLargeError",
    415: "UnsupportedMediaTypeError",
    503: "TemporarilyUnavailableError",
}
