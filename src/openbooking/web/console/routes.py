"""The routes of all pages of the console."""

from starlette.routing import Route

from openbooking.web.console.attendance import AttendancePages
from openbooking.web.console.console import Console
from openbooking.web.console.desk import DeskPages
from openbooking.web.console.order_decisions import OrderDecisionPages
from openbooking.web.console.orders import OrderPages
from openbooking.web.console.proposals import ProposalPages
from openbooking.web.console.receipts import ReceiptPages
from openbooking.web.console.takings import TakingsPages
from openbooking.web.console.today import TodayPages


def console_routes(console: Console) -> list[Route]:
    """Return the routes of all pages, in the order of their links in the menu."""
    return [
        *TodayPages(console).routes(),
        *AttendancePages(console).routes(),
        *DeskPages(console).routes(),
        *ReceiptPages(console).routes(),
        *TakingsPages(console).routes(),
        *ProposalPages(console).routes(),
        *OrderPages(console).routes(),
        *OrderDecisionPages(console).routes(),
    ]
