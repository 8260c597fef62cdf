"""Brokers are killed at random points (SIGKILL) against a real Booking System; afterwards money and Orders agree.

Two processes buy at the same time. Again and again one of them is killed, and another begins with a recovery while the
other goes on buying. `make fire` kills 200 processes.
"""

import logging
import os
import random
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import httpx2
import msgspec
import pytest

from openbooking.broker.flow import run
from openbooking.broker.store.database import open_database
from openbooking.openactive.ids import Identifiers
from support.money.buyer_process import Buyer
from support.money.payment_file import PaymentFile
from support.parties import CENTRE
from support.races.brokers import order_body
from support.servers.served_system import HOST, Plan, Served

TESTS = Path(__file__).parents[2]
PROCESS = TESTS / "support" / "money" / "buyer_process.py"
KILLS, MANY_KILLS = 4, 100
MOST_SECONDS = 0.5
MOST_RECOVERIES, PAUSE_SECONDS = 40, 0.1
_log = logging.getLogger(__name__)


def start(*arguments: str) -> subprocess.Popen[str]:
    path = f"{TESTS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    return subprocess.Popen(
        [sys.executable, str(PROCESS), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )


def kill_again_and_again(kills: int, *arguments: str) -> None:
    """Kill one of two processes this many times."""
    processes = [start(*arguments) for _ in range(2)]
    try:
        for _ in range(kills):
            killed = processes.pop(0)
            processes.append(start(*arguments))
            assert killed.stdout is not None
            if random.random() < 0.8:  # noqa: S311 - others are killed while they recover
                assert killed.stdout.readline() == "buying\n"
            threading.Event().wait(random.uniform(0, MOST_SECONDS))  # noqa: S311 - any will do
            assert killed.poll() is None
            killed.kill()
            killed.communicate()
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def faults(database: str, payments: Path, url: str) -> tuple[list[str], int]:
    """Recover, and return what is wrong then, and how many Orders exist."""
    with closing(open_database(database)) as opened, closing(PaymentFile(payments)) as file, httpx2.Client() as client:
        buyer = Buyer(opened, file, url)
        for _ in range(MOST_RECOVERIES):
            if not run(buyer.recovery.recover(), client).left and not run(buyer.recovery.unfinished(), client):
                break
            threading.Event().wait(PAUSE_SECONDS)  # PostgreSQL notices the end of a killed process a moment later
        wrong = [f"{left.order}: {left.words} {left.fault}" for left in run(buyer.recovery.unfinished(), client)]
        wrong += file.violations()
        with opened.transaction() as transaction:
            uuids = transaction.execute("SELECT uuid, purchase FROM broker_order_uuids").fetchall()
        orders = dict[str, list[str]]()
        for uuid, purchase in uuids:
            path = f"{url}/orders/{uuid}"
            # Order Status shows quotes too.
            shown = client.get(path, headers={"authorization": "Bearer obk_alice"})
            if shown.status_code == httpx2.codes.OK and shown.json()["@type"] == "Order":
                orders.setdefault(purchase, []).append(uuid)
        paid = dict[str, list[str]]()
        for key, state in file.states().items():
            if state == "authorised":
                wrong.append(f"the authorisation {key} is forgotten")
            if state == "captured":
                paid.setdefault(key.partition("-")[0], []).append(key)
    wrong += [f"{purchase} has the Orders {found}" for purchase, found in orders.items() if len(found) > 1]
    wrong += [f"{purchase} has the payments {found}" for purchase, found in paid.items() if len(found) > 1]
    wrong += [f"{purchase} is paid or booked alone" for purchase in orders.keys() ^ paid.keys()]
    return wrong, len(orders)


@pytest.mark.spec("OB-BRK-01", "OB-BRK-02", "OB-BRK-03", "OB-BRK-10")
@pytest.mark.anyio
async def test_money_and_orders_agree_after_kills(
    location: str, tmp_path: Path, is_long_run: bool, unmeasured_processes: None
) -> None:
    plan = Plan(str(tmp_path / "system.sqlite3"), 1, {"hall": 1_000_000})
    await plan.stock()
    body, payments = tmp_path / "body.json", tmp_path / "payments.sqlite3"
    ids = Identifiers(plan.settings.base_uri)
    body.write_bytes(msgspec.json.encode(order_body(ids, ["hall"])))
    kills = MANY_KILLS if is_long_run else KILLS
    with Served(plan) as served:
        url = f"http://{HOST}:{served.port}/api"
        kill_again_and_again(kills, location, str(payments), url, ids.seller(CENTRE.key), str(body))
        wrong, orders = faults(location, payments, url)
    _log.info("%d kills, and %d Orders exist", kills, orders)
    assert wrong == []
    assert orders > 0
