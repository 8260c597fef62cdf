"""The operations of the Open Booking API that the sandbox tells apart, by method and path."""

import re
from enum import StrEnum
from typing import NamedTuple

from openbooking.settings import Settings
from openbooking.web.api.dataset_site import DATASET_PATH
from openbooking.web.api.feeds import FEEDS_PATH


class Operation(StrEnum):
    """What a request asks for."""

    C1 = "C1"
    C2 = "C2"
    P = "P"
    B = "B"
    CANCEL = "cancel"
    UPDATE_PROPOSAL = "update-proposal"
    DELETE_ORDER = "delete-order"
    DELETE_QUOTE = "delete-quote"
    STATUS = "status"
    ORDERS_FEED = "orders-feed"
    PROPOSALS_FEED = "proposals-feed"
    OPEN_FEED = "open-feed"
    DATASET_SITE = "dataset-site"
    OTHER = "other"


FEEDS = frozenset({Operation.ORDERS_FEED, Operation.PROPOSALS_FEED, Operation.OPEN_FEED})
BOOKING = frozenset({Operation.P, Operation.B})
FLOW = BOOKING | {Operation.C1, Operation.C2}

_ORDER_PATH = re.compile(r"/(order-quote-templates|order-quotes|order-proposals|orders)/([0-9a-fA-F-]{36})")
_BY_ORDER_PATH = {
    ("PUT", "order-quote-templates"): Operation.C1,
    ("PUT", "order-quotes"): Operation.C2,
    ("DELETE", "order-quotes"): Operation.DELETE_QUOTE,
    ("PUT", "order-proposals"): Operation.P,
    ("PATCH", "order-proposals"): Operation.UPDATE_PROPOSAL,
    ("PUT", "orders"): Operation.B,
    ("PATCH", "orders"): Operation.CANCEL,
    ("DELETE", "orders"): Operation.DELETE_ORDER,
    ("GET", "orders"): Operation.STATUS,
}
_FEED_PATHS = {"/orders-rpde": Operation.ORDERS_FEED, "/order-proposals-rpde": Operation.PROPOSALS_FEED}


class Asked(NamedTuple):
    """What a request asks for, and the Order UUID in its path; empty if there is none."""

    operation: Operation
    uuid: str = ""


class OperationFinder:
    """Finds the operation of a request.

    Args:
        settings: The settings, with the paths of the API.
    """

    def __init__(self, settings: Settings) -> None:
        self._site = settings.site_path
        self._api = settings.base_uri.removeprefix(settings.site)

    def find(self, method: str, path: str) -> Asked | None:
        """Return what a request asks for; None for the pages of people, which are not requests of Brokers."""
        path = path.removeprefix(self._site)
        if path.startswith(f"{self._api}/"):
            return _of_api(method, path.removeprefix(self._api))
        if path.startswith(f"{FEEDS_PATH}/"):
            return Asked(Operation.OPEN_FEED if method == "GET" else Operation.OTHER)
        if path == DATASET_PATH and method == "GET":
            return Asked(Operation.DATASET_SITE)
        return None


def _of_api(method: str, path: str) -> Asked:
    if found := _ORDER_PATH.fullmatch(path):
        return Asked(_BY_ORDER_PATH.get((method, found[1]), Operation.OTHER), found[2].lower())
    return Asked(_FEED_PATHS.get(path, Operation.OTHER) if method == "GET" else Operation.OTHER)
