"""All remarks on some exchanges (`advise`)."""

from collections import defaultdict
from collections.abc import Iterable

from openbooking.sandbox.advice.error_classes import explain_errors
from openbooking.sandbox.advice.remark import Remark
from openbooking.sandbox.advice.rules import RULES
from openbooking.sandbox.exchanges.exchange import Exchange


def advise(exchanges: Iterable[Exchange]) -> list[Remark]:
    """Return all remarks on exchanges, in the order of the exchanges.

    The rules are applied to the exchanges of each Broker alone.
    """
    by_broker: dict[str, list[Exchange]] = defaultdict(list)
    remarks: list[Remark] = []
    for exchange in exchanges:
        by_broker[exchange.broker].append(exchange)
        remarks.extend(explain_errors(exchange))
    for broker, of_broker in by_broker.items():
        remarks.extend(remark for rule in RULES for remark in (rule(of_broker) if broker else ()))
    return sorted(remarks, key=lambda remark: remark.number)
