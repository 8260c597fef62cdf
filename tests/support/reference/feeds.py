"""The table of the feeds, from the table of Opportunity types."""

from openbooking.booking.store import ORDER_PROPOSALS, ORDERS
from openbooking.openactive.opportunity_types import OPEN_FEEDS, OpportunityType
from openbooking.settings import Settings
from openbooking.web.api.feeds import FEEDS_PATH
from support.reference.tables import code, codes, table


def feeds_table() -> str:
    """Return a row for each feed: its path, its readers and the types of its items."""
    rows = [(code(f"{FEEDS_PATH}/{name}"), "everybody", _types(name)) for name in OPEN_FEEDS]
    orders = {ORDERS: "Orders", ORDER_PROPOSALS: "OrderProposals"}
    rows += [
        (code(f"{Settings().api_path}/{name}-rpde"), "the Booking Partner", f"its own {items}")
        for name, items in orders.items()
    ]
    return table(("Path", "Readers", "Items"), rows)


def _types(feed: str) -> str:
    types = [type_ for type_ in OpportunityType if type_.row.feed == feed]
    bookable = {type_.value: "bookable" if type_.row.bookable else "not bookable" for type_ in types}
    return "; ".join(f"{codes([name])} ({state})" for name, state in bookable.items())
