"""An action of the Seller with what came of it (`Doing`)."""

from datetime import datetime
from typing import NamedTuple

import msgspec

from openbooking.booking.model.order import OrderKey
from openbooking.sandbox.control.actions import Action


class Subject(NamedTuple):
    """What actions are about that name no Order or Opportunity; None if no Broker has booked yet.

    Attributes:
        order: The key of the Order or OrderProposal that was booked last.
        opportunity: The path of the first Opportunity of the last request for a quote or booking.
    """

    order: OrderKey | None = None
    opportunity: str | None = None


NO_SUBJECT = Subject()


class Doing(msgspec.Struct, frozen=True, kw_only=True):
    """An action that was done, refused or put off.

    Attributes:
        action: The action.
        subject: What the action is about if it names nothing.
        due: The time on the clock of the sandbox at which it is or was due.
        done: What was done, in words; empty as long as the action waits, or if it was refused.
        refused: Why the action was refused; empty if it was not.
        began: The real seconds since an arbitrary moment at which it was done; 0 as long as it waits.
    """

    action: Action
    subject: Subject
    due: datetime
    done: str = ""
    refused: str = ""
    began: float = 0

    @property
    def waits(self) -> bool:
        """Whether the action was put off and is not done yet."""
        return not self.done and not self.refused
