"""Makes the request of the front desk for a row of a file of bookings."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID, uuid5

from openbooking.booking.commands.orders.book_at_desk import BookAtDesk
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.opportunity import Offer, Opportunity, Seller, applicable_offers
from openbooking.booking.model.order import FORMER_SYSTEM, Payment, desk_caller
from openbooking.booking.model.order_request import ItemRequest, OfferOverride, OrderRequest
from openbooking.booking.model.policy import Policy
from openbooking.booking.rules.orders.pricing import Pricing, amount_due, tax_treatment
from openbooking.identity.digests import SecretKind, new_secret
from openbooking.moving_in.columns import BookingRow, RowFault
from openbooking.moving_in.occurrences import FoundRow
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.money import round_money
from openbooking.openactive.terms import BrokerRole, TaxMode

_NAMESPACE = UUID("7a1e36cf-5f0b-4f0e-9a3c-0f1d1f3b9f52")
_CURRENCY = "GBP"


class Priced(NamedTuple):
    """The price of one space: an Offer, or a price of the former system in place of an Offer.

    Attributes:
        offer: The Offer, if its price is the one that was paid, or if nothing was paid yet.
        override: The price of the former system, if no Offer has it.
        total: What is due for all spaces.
        currency: The currency of the total.
    """

    offer: Offer | None
    override: OfferOverride | None
    total: Decimal
    currency: str | None


class RequestMaker:
    """Makes the requests of one Seller's rows.

    Args:
        seller: The Seller.
        policy: The policy.
        ids: The identifiers.
        actor: The account that books.
    """

    def __init__(self, seller: Seller, policy: Policy, ids: Identifiers, actor: Actor) -> None:
        self._seller, self._ids, self._actor = seller, ids, actor
        nobody = OrderRequest(seller_id=seller.key, broker_role=BrokerRole.NO_BROKER, items=())
        tax = tax_treatment(policy.tax, nobody, seller.tax_mode)
        self._pricing = Pricing(seller.tax_mode, tax, policy.prepayment)

    def bookings(self, found: Iterable[FoundRow]) -> tuple[dict[int, BookAtDesk], list[RowFault]]:
        """Return the bookings of the rows by line, and the faults of the rows that cannot be requested."""
        bookings: dict[int, BookAtDesk] = {}
        faults: list[RowFault] = []
        lines: dict[str, int] = {}
        equal: Counter[str] = Counter()
        for each in found:
            row = each.row
            uuid = self._uuid(row, each.opportunity, equal)
            if uuid in lines:
                text = f"Line {lines[uuid]} has this reference for the same occurrence. Use the column spaces."
                faults.append(RowFault(row.line, "reference", text))
                continue
            lines[uuid] = row.line
            priced = self._price(row, applicable_offers(each.opportunity, each.parents))
            if isinstance(priced, str):
                faults.append(RowFault(row.line, "price_paid", priced))
                continue
            bookings[row.line] = BookAtDesk(
                caller=desk_caller(self._seller.key),
                uuid=uuid,
                request=self._request(each, priced, uuid),
                nonce=new_secret(SecretKind.SESSION),
                actor=self._actor,
            )
        return bookings, faults

    def _uuid(self, row: BookingRow, opportunity: Opportunity, equal: Counter[str]) -> str:
        """Return the Order UUID of a row: that of an earlier import of the row is the same.

        It follows from the reference and the occurrence, or from all cells of a row without a reference.
        """
        if row.reference:
            name = f"{row.reference}\n{opportunity.path}"
        else:
            cells = "\n".join(f"{column}={cell}" for column, cell in sorted(row.cells.items()))
            equal[cells] += 1
            name = f"{cells}\n{equal[cells]}"
        return str(uuid5(_NAMESPACE, f"{self._seller.key}\n{name}"))

    def _price(self, row: BookingRow, offers: tuple[Offer, ...]) -> Priced | str:
        """Return the price of a row, or what is wrong with it."""
        if row.price_paid is None:
            if not offers:
                return "It has no price. Give the amount that was paid."
            return self._at(offers[0], row.spaces)
        exact = next((offer for offer in offers if self._at(offer, row.spaces).total == row.price_paid), None)
        if exact is not None:
            return self._at(exact, row.spaces)
        if self._seller.tax_mode is TaxMode.NET:
            return "No price of this session has this total. Prices of this Seller are without tax."
        price = round_money(row.price_paid / row.spaces)
        if price * row.spaces != row.price_paid:
            return f"{row.price_paid:f} cannot be divided into {row.spaces} equal prices. Use a row for each price."
        override = OfferOverride(price=price, currency=_CURRENCY, name="Price of the former system")
        return Priced(None, override, row.price_paid, _CURRENCY)

    def _at(self, offer: Offer, spaces: int) -> Priced:
        return Priced(offer, None, amount_due(offer, self._pricing) * spaces, offer.currency)

    def _request(self, found: FoundRow, priced: Priced, uuid: str) -> OrderRequest:
        row, is_paid = found.row, bool(found.row.price_paid)
        customer = {"@type": "Person", **row.person} if row.person else None
        identifier = ", ".join(filter(None, (row.paid_by, row.reference))) or uuid
        return OrderRequest(
            seller_id=self._ids.seller(self._seller.key),
            seller=self._seller.key,
            broker_role=BrokerRole.NO_BROKER,
            customer=customer,
            customer_note=row.note or None,
            items=tuple(self._item(found, priced, position) for position in range(row.spaces)),
            total_payment_due=priced.total,
            total_currency=priced.currency,
            payment=Payment(name=FORMER_SYSTEM, identifier=identifier) if is_paid else None,
        )

    def _item(self, found: FoundRow, priced: Priced, position: int) -> ItemRequest:
        path, offer = found.opportunity.path, priced.offer
        return ItemRequest(
            position=position,
            opportunity_id=self._ids.opportunity(path),
            opportunity=path,
            offer_id=self._ids.offer(offer.ref) if offer else None,
            offer=offer.ref if offer else None,
            override=priced.override,
            attendee=_attendee(found, priced),
        )


def _attendee(found: FoundRow, priced: Priced) -> Mapping[str, str] | None:
    """Return the details of the Customer that the Offers ask for of each attendee; None if they ask for none."""
    offers = (priced.offer,) if priced.offer else applicable_offers(found.opportunity, found.parents)
    wanted = {uri.rpartition("/")[2] for offer in offers for uri in offer.attendee_details}
    details = {name: value for name, value in found.row.person.items() if name in wanted}
    return {"@type": "Person", **details} if details else None
