"""The commands that are refused while the disk is full. All others make room or need next to none."""

from openbooking.booking.book import Book
from openbooking.booking.book_proposal import BookProposal
from openbooking.booking.command import Command
from openbooking.booking.proposal import Propose
from openbooking.booking.publish import Publish, PublishSeller
from openbooking.booking.quote import Quote
from openbooking.booking.republish import Republish

_STORING = (Quote, Propose, Book, BookProposal, Publish, PublishSeller, Republish)


def stores_more(command: Command) -> bool:
    """Whether the command, if it changes anything, stores more than it frees."""
    return isinstance(command, _STORING)
