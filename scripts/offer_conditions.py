"""Print the share of Offers that an import leaves out because of their conditions.

    python scripts/offer_conditions.py ITEMS [USAGE]

ITEMS is a folder of items as providers publish them. USAGE is a report of the properties that many providers use: the
share of Offers, in percent, that have each property, as `{"types": {"Offer": {"price": 100.0, …}}}`. The report does
not say which properties an Offer has together, so the sum of the shares is an upper bound.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from openbooking.importing.reading.conditions import ENFORCED, read_conditions, unknown_properties
from openbooking.openactive.published.values import UnreadableError, clean, type_names


def offers_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every Offer in the JSON value, at any depth."""
    if isinstance(value, list):
        for member in value:
            yield from offers_in(member)
    elif isinstance(value, dict):
        if type_names(value) == ["Offer"]:
            yield value
        for member in value.values():
            yield from offers_in(member)


def print_items(folder: Path) -> None:
    """Print how many Offers in the items of a folder are left out, and the reasons."""
    reasons: Counter[str] = Counter()
    offers = [
        offer for file in sorted(folder.rglob("*.json*")) for offer in offers_in(clean(json.loads(file.read_bytes())))
    ]
    for offer in offers:
        try:
            read_conditions(offer, of_facility=False)
        except UnreadableError as fault:
            reasons[str(fault)] += 1
    print(f"{reasons.total()} of {len(offers)} Offers in the items are left out because of a condition.")
    for reason, number in reasons.most_common():
        print(f"  {number}: {reason}")


def print_usage(file: Path) -> None:
    """Print the upper bounds for Offers with unknown properties and for Offers with known conditions."""
    shares: dict[str, float] = json.loads(file.read_bytes())["types"]["Offer"]
    _print_shares("are left out because of an unknown property", shares, unknown_properties(shares))
    _print_shares("have a condition that is enforced if it is understood", shares, ENFORCED.intersection(shares))


def _print_shares(what: str, shares: dict[str, float], names: Iterable[str]) -> None:
    most = min(sum(shares[name] for name in names), 100)
    print(f"At most {most:.1f} % of all Offers {what}.")
    for name in sorted(names, key=lambda name: (-shares[name], name)):
        print(f"  {shares[name]:.1f} %: {name}")


if __name__ == "__main__":
    print_items(Path(sys.argv[1]))
    for usage in sys.argv[2:]:
        print_usage(Path(usage))
