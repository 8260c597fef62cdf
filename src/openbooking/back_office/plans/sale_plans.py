"""The plan to put an Opportunity on sale, or to take it off sale."""

from openbooking.back_office.descriptions import opportunity_name
from openbooking.back_office.plans.plan import Plan
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.opportunity import Opportunity, SaleState
from openbooking.booking.rules.opportunities.sale_states import is_not_understood


def plan_sale_state(opportunity: Opportunity, sale: SaleState, actor: Actor) -> Plan:
    """Plan to put an Opportunity with everything below it on sale, or to take it off sale. Its Orders stay."""
    name = opportunity_name(opportunity, ())
    if sale is not SaleState.ON_SALE:
        done = f"{name} is not on sale. Its Orders stay."
    elif is_not_understood(opportunity):
        done = f"{name} stays off sale, because the last import did not understand its latest version."
    else:
        done = f"{name} is on sale."
    return Plan(command=SetSaleState(opportunity=opportunity.path, sale=sale, actor=actor), done=done)
