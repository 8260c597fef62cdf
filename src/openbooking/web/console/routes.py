"""The routes of all pages of the console."""

from starlette.routing import Route

from openbooking.web.console.bookings.order_decisions import OrderDecisionPages
from openbooking.web.console.bookings.orders import OrderPages
from openbooking.web.console.bookings.privacy import PrivacyPages
from openbooking.web.console.bookings.proposal_mail import ProposalMailPages
from openbooking.web.console.bookings.proposals import ProposalPages
from openbooking.web.console.console import Console
from openbooking.web.console.day.attendance import AttendancePages
from openbooking.web.console.day.occurrence_cancellation import OccurrenceCancellationPages
from openbooking.web.console.day.occurrence_notice import OccurrenceNoticePages
from openbooking.web.console.day.today import TodayPages
from openbooking.web.console.desk.bookings import DeskPages
from openbooking.web.console.desk.payments import DeskPaymentPages
from openbooking.web.console.desk.receipts import ReceiptPages
from openbooking.web.console.desk.takings import TakingsPages
from openbooking.web.console.money.sales import MoneyPages
from openbooking.web.console.partners.access_requests import AccessDecisionPages
from openbooking.web.console.partners.terms import PartnerTermPages
from openbooking.web.console.seller.choice import SellerChoicePages
from openbooking.web.console.seller.details import DetailsPages
from openbooking.web.console.seller.imports import ImportPages
from openbooking.web.console.seller.log import LogPages
from openbooking.web.console.seller.publication import PublicationPages
from openbooking.web.console.seller.staff import StaffPages
from openbooking.web.console.timetable.editing import EditingPages
from openbooking.web.console.timetable.sheet import SheetPages
from openbooking.web.console.timetable.terms import TermPages
from openbooking.web.console.timetable.week import WeekPages


def console_routes(console: Console) -> list[Route]:
    """Return the routes of all pages, in the order of their links in the menu."""
    return [
        *TodayPages(console).routes(),
        *AttendancePages(console).routes(),
        *OccurrenceCancellationPages(console).routes(),
        *OccurrenceNoticePages(console).routes(),
        *DeskPages(console).routes(),
        *DeskPaymentPages(console).routes(),
        *ReceiptPages(console).routes(),
        *TakingsPages(console).routes(),
        *ProposalPages(console).routes(),
        *ProposalMailPages(console).routes(),
        *OrderPages(console).routes(),
        *OrderDecisionPages(console).routes(),
        *WeekPages(console).routes(),
        *EditingPages(console).routes(),
        *SheetPages(console).routes(),
        *TermPages(console).routes(),
        *PublicationPages(console).routes(),
        *StaffPages(console).routes(),
        *PrivacyPages(console).routes(),
        *LogPages(console).routes(),
        *ImportPages(console).routes(),
        *DetailsPages(console).routes(),
        *MoneyPages(console).routes(),
        *PartnerTermPages(console).routes(),
        *AccessDecisionPages(console).routes(),
        *SellerChoicePages(console).routes(),
    ]
