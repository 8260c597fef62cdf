"""Order Status: Orders, OrderProposals and leased OrderQuotes (OB 9.2.10)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import Caller, Order, OrderKey, Payment
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.policy import Policy, ReconciliationDetails, TaxCalculation
from openbooking.booking.model.record import Record
from openbooking.booking.model.situation import Situation
from openbooking.openactive.errors import GoneError, InvalidAuthorizationDetailsError, UnknownOrderError
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import BrokerRole, OrderType
from support.builders import NOW, UUID, after, book, item, new_uuid, quote, request, session, situation
from support.parties import AGREED_ALICE, ALICE, BOB, CENTRE, STUDIO
from support.proposals import APPROVAL, amend, order_of, proposed, record_in

STATUS = GetOrder(caller=ALICE, uuid=UUID)
ACCOUNT = Policy(reconciliation=ReconciliationDetails(account_id="acme"))


def sessions(seller: Seller = CENTRE, **offered: object) -> tuple[list[Opportunity], list[Opportunity]]:
    """A session with tax, and a session without tax whose Offer has these changes."""
    exempt = {"price": Decimal("9.00"), "vat": VatTreatment.EXEMPT, **offered}
    return session("yoga", seller=seller), session("spin", seller=seller, offered=exempt)


def asked(*families: list[Opportunity], seller: Seller = CENTRE, **changes: object) -> OrderRequest:
    items = (item(family, position) for position, family in enumerate(families))
    return replace(request(*items, seller=seller.key), **changes)


def shown(where: Situation, wanted: OrderRequest, caller: Caller = ALICE) -> tuple[Order, Order]:
    """The OrderQuote that Order Status shows, and the OrderQuote that C2 returned."""
    command = quote(wanted, caller=caller)
    record = STATUS.decide(after(where, command)).reply
    return record.order, order_of(command.decide(where))


@pytest.mark.spec("OB-OST-02")
@pytest.mark.parametrize(
    ("seller", "policy", "changes"),
    [
        (CENTRE, Policy(), {}),
        (STUDIO, Policy(), {}),
        (CENTRE, Policy(prepayment=False), {}),
        (CENTRE, Policy(tax=TaxCalculation.NEVER), {}),
        (STUDIO, Policy(tax=TaxCalculation.NEVER), {}),
        (CENTRE, Policy(), {"broker_role": BrokerRole.NO_BROKER, "broker": None}),
        (CENTRE, Policy(), {"broker_role": BrokerRole.RESELLER}),
        (CENTRE, ACCOUNT, {"payment": Payment(account_id="acme")}),
    ],
)
def test_a_leased_quote_is_shown_as_it_was_answered(seller: Seller, policy: Policy, changes: dict[str, object]) -> None:
    """Positions, `@id`s and personal data are not compared, because Order Status does not show them."""
    yoga, spin = sessions(seller)
    order, answered = shown(situation(yoga, spin, policy=policy), asked(yoga, spin, spin, seller=seller, **changes))
    assert not answered.has_errors
    items = tuple(replace(found, position=None, opportunity_id=None, offer_id=None) for found in answered.items)
    assert order == replace(answered, items=items, personal=None)
    assert [found.number for found in order.items] == [1, 2, 3]


@pytest.mark.spec("OB-OST-02", "OB-DYN-10")
def test_a_leased_quote_with_a_dynamic_payment_shows_no_tax() -> None:
    yoga, _ = sessions()
    dynamic = Payment(dynamic=True, identifier="p", account_id="MOVE")
    wanted = asked(yoga, payment=dynamic, total_payment_due=None)
    wanted = replace(wanted, items=(replace(wanted.items[0], offer=None, offer_id=None),))
    where = situation(yoga, policy=Policy(dynamic_accounts=frozenset()))
    order, answered = shown(where, wanted, AGREED_ALICE)
    assert (order.payment, order.totals, order.items[0].tax) == (dynamic, answered.totals, ())


@pytest.mark.parametrize(("flow", "approval"), [((), False), (APPROVAL, True)])
def test_a_leased_quote_needs_approval_if_one_of_its_offers_does(flow: object, approval: bool) -> None:
    yoga, spin = sessions(flow=flow)
    order, _ = shown(situation(yoga, spin), asked(yoga, spin))
    assert order.requires_approval is approval


@pytest.mark.spec("OB-OST-02")
def test_the_spaces_of_the_lease_itself_are_shown_as_left() -> None:
    yoga, spin = sessions()
    others = quote(asked(yoga), caller=BOB), book(request(item(yoga)), caller=BOB, uuid=new_uuid())
    where = situation(yoga, spin)
    for command in others:
        where = after(where, command)
    order, _ = shown(where, asked(yoga, yoga, spin))
    assert [found.remaining for found in order.items] == [8, 8, 10]


YOGA = session("yoga")
BOOKED = after(situation(YOGA), book(request(item(YOGA))))


@pytest.mark.spec("OB-OST-01", "OB-OST-02", "OB-OST-06", "OB-OST-07")
def test_order_status_returns_the_stored_record() -> None:
    where = BOOKED
    assert STATUS.decide(where).reply == where.records[OrderKey("alice", UUID)]
    with pytest.raises(UnknownOrderError):
        GetOrder(caller=BOB, uuid=UUID).decide(where)
    with pytest.raises(GoneError):
        STATUS.decide(after(where, DeleteOrder(caller=ALICE, uuid=UUID)))


@pytest.mark.spec("OB-OST-02", "OB-LEASE-20")
def test_order_status_returns_a_leased_quote_until_the_lease_ends() -> None:
    leased = after(situation(YOGA), quote(request(item(YOGA))))
    shown = STATUS.decide(leased).reply
    assert isinstance(shown, Record)
    assert shown.order is not None
    assert (shown.order.type, shown.order.totals.price) == (OrderType.QUOTE, Decimal("12.00"))
    assert [found.opportunity for found, _ in shown.items()] == [YOGA[-1]]
    with pytest.raises(UnknownOrderError):
        STATUS.decide(replace(leased, now=NOW + timedelta(minutes=15)))


@pytest.mark.spec("OB-AUTH-10")
def test_a_partner_whose_authorisation_ended_does_not_get_its_orders() -> None:
    with pytest.raises(InvalidAuthorizationDetailsError):
        GetOrder(caller=Caller("alice", frozenset()), uuid=UUID).decide(BOOKED)


@pytest.mark.spec("OB-OST-02")
def test_order_status_returns_the_current_proposal() -> None:
    where = after(proposed(), amend(without=frozenset({1})))
    assert GetOrder(caller=ALICE, uuid=UUID).decide(where).reply == record_in(where)
