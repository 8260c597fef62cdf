"""A process that recovers and then buys for ever: `buyer_process.py DATABASE PAYMENTS URL SELLER BODY`.

Its network and its payment provider are faulty. It prints a line when it begins to buy. test_killed_processes kills it.
"""

import random
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx2
import msgspec

from openbooking.broker.api.access import ApiKey
from openbooking.broker.api.endpoints import BookingApi
from openbooking.broker.api.retries import Retries
from openbooking.broker.flow import Flow, run
from openbooking.broker.money.journal import Journal
from openbooking.broker.money.purchases import Purchases
from openbooking.broker.money.recovery import Recovery
from openbooking.broker.money.steps import Steps
from openbooking.broker.store.database import Database
from openbooking.broker.store.database import open_database as open_broker_database
from openbooking.openactive.messages import OrderRequest, PriceSpecification
from support.money.payment_file import PaymentFile

FAULTY_SHARE = 0.1
RETRIES = Retries(attempts=3, first_pause=0.001)
SITE = "https://booking.example.com/openactive"


class FaultyTransport(httpx2.HTTPTransport):
    """A network that loses requests and answers, and a Booking System that answers 500 after it has booked."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        chance = random.random()  # noqa: S311 - any will do
        if chance < FAULTY_SHARE:
            raise httpx2.ConnectError("refused")
        response = super().handle_request(request)
        if chance < 2 * FAULTY_SHARE:
            response.close()
            raise httpx2.ReadError("cut")
        if chance < 3 * FAULTY_SHARE:
            response.close()
            return httpx2.Response(random.choice([500, 503]), json={"@type": "InternalApplicationError"})  # noqa: S311
        return response


class Buyer:
    """The purchases of a Broker at one Booking System."""

    def __init__(self, database: Database, payments: PaymentFile, url: str) -> None:
        def api(_: str) -> Flow[BookingApi]:
            yield from ()
            return BookingApi(url, ApiKey("obk_alice"), RETRIES)

        journal = Journal(database, SITE)
        steps = Steps(api, payments, RETRIES)
        self.purchases = Purchases(journal, steps)
        self.recovery = Recovery(journal, self.purchases, steps)
        self.api = api


def buy(buyer: Buyer, client: httpx2.Client, seller: str, body: OrderRequest, begun: Callable[[], object]) -> None:
    """Buy for ever; one Order in ten has a wrong total. A basket that is not booked is tried again once."""
    begun()
    wrong = msgspec.structs.replace(body, total_payment_due=PriceSpecification(price=1, price_currency="GBP"))
    while True:
        basket = run(buyer.purchases.begin(seller), client)
        with suppress(Exception):
            order = wrong if random.random() < FAULTY_SHARE else body  # noqa: S311 - any will do
            run(buyer.purchases.book(basket, order), client)
            continue
        with suppress(Exception):
            again = run(buyer.purchases.order_to_quote(basket), client)
            run(buyer.purchases.book(again, body), client)


def main(database: str, payments: str, url: str, seller: str, body: str) -> None:
    opened = open_broker_database(database)
    buyer = Buyer(opened, PaymentFile(Path(payments), FAULTY_SHARE), url)
    order = msgspec.json.decode(Path(body).read_bytes(), type=OrderRequest)
    with httpx2.Client(transport=FaultyTransport()) as client:
        run(buyer.recovery.recover(), client)
        buy(buyer, client, seller, order, lambda: print("buying", flush=True))  # noqa: T201 - for the process that waits


if __name__ == "__main__":
    main(*sys.argv[1:])
