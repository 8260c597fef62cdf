"""The routes of all pages of the console."""

from starlette.routing import Route

from openbooking.web.console.attendance import AttendancePages
from openbooking.web.console.console import Console
from openbooking.web.console.desk import DeskPages
from openbooking.web.console.details import DetailsPages
from openbooking.web.console.log import LogPages
from openbooking.web.console.money import MoneyPages
from openbooking.web.console.occurrence_cancellation import OccurrenceCancellationPages
from openbooking.web.console.occurrence_notice import OccurrenceNoticePages
from openbooking.web.console.order_decisions import OrderDecisionPages
from openbooking.web.console.orders import OrderPages
from openbooking.web.console.partner_terms import PartnerTermPages
from openbooking.web.console.privacy import PrivacyPages
from openbooking.web.console.proposal_mail import ProposalMailPages
from openbooking.web.console.proposals import ProposalPages
from openbooking.web.console.publication import PublicationPages
from openbooking.web.console.receipts import ReceiptPages
from openbooking.web.console.sellers import SellerChoicePages
from openbooking.web.console.staff import StaffPages
from openbooking.web.console.takings import TakingsPages
from openbooking.web.console.today import TodayPages


def console_routes(console: Console) -> list[Route]:
    """Return the routes of all pages, in the order of their links in the menu."""
    return [
        *TodayPages(console).routes(),
        *AttendancePages(console).routes(),
        *OccurrenceCancellationPages(console).routes(),
        *OccurrenceNoticePages(console).routes(),
        *DeskPages(console).routes(),
        *ReceiptPages(console).routes(),
        *TakingsPages(console).routes(),
        *ProposalPages(console).routes(),
        *ProposalMailPages(console).routes(),
        *OrderPages(console).routes(),
        *OrderDecisionPages(console).routes(),
        *PublicationPages(console).routes(),
        *StaffPages(console).routes(),
        *PrivacyPages(console).routes(),
        *LogPages(console).routes(),
        *DetailsPages(console).routes(),
        *MoneyPages(console).routes(),
        *PartnerTermPages(console).routes(),
        *SellerChoicePages(console).routes(),
    ]
