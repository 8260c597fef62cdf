"""The errors of the client have one root, and say the same about themselves."""

from collections.abc import Iterator
from importlib import import_module
from inspect import getmembers, isclass
from pkgutil import walk_packages

import pytest

import openbooking.broker as public
from openbooking.broker import (
    AnswerFault,
    AnswersError,
    AuthorizationError,
    BrokerError,
    DeclinedError,
    DiscoveryError,
    ItemFault,
    ItemsRefusedError,
    NoAnswerError,
    OrderQuote,
    Question,
    Retry,
    TemporaryPaymentError,
    UnreadableReplyError,
)
from openbooking.openactive.errors import TemporarilyUnableToCreateOrderError

# `replies.py` makes an UnreadableReplyError of it.
INTERNAL = {"UnfitError"}


def errors_of_the_client() -> Iterator[type[Exception]]:
    for module in walk_packages(public.__path__, "openbooking.broker."):
        for name, member in getmembers(import_module(module.name), isclass):
            if issubclass(member, Exception) and member.__module__ == module.name and name not in INTERNAL:
                yield member


@pytest.mark.parametrize("error", list(errors_of_the_client()), ids=lambda error: error.__name__)
def test_each_error_of_the_client_is_a_broker_error(error: type[Exception]) -> None:
    assert issubclass(error, BrokerError)
    assert error.__name__ in public.__all__


def question(position: int) -> Question:
    return Question(position=position, key="email", label="E-mail address")


REPLY = OrderQuote(context="https://openactive.io/", type="OrderQuote", ordered_item=())


@pytest.mark.parametrize(
    ("error", "retry", "positions"),
    [
        (BrokerError("?"), Retry.NEVER, ()),
        (NoAnswerError("no answer"), Retry.SAME_UUID, ()),
        (UnreadableReplyError("a page", reply_status=200), Retry.NEW_UUID, ()),
        (UnreadableReplyError("a page", reply_status=503), Retry.SAME_UUID, ()),
        (TemporarilyUnableToCreateOrderError(), Retry.SAME_UUID, ()),
        (DiscoveryError("no page"), Retry.NEVER, ()),
        (AuthorizationError("no token", retry=Retry.SAME_UUID), Retry.SAME_UUID, ()),
        (DeclinedError("no"), Retry.NEVER, ()),
        (TemporaryPaymentError("later"), Retry.SAME_UUID, ()),
        (AnswersError([AnswerFault(question(3), "missing")]), Retry.NEVER, (3,)),
        (ItemsRefusedError((ItemFault(2, "?"), ItemFault(1, "?")), REPLY, reply_status=409), Retry.NEVER, (1, 2)),
    ],
)
def test_each_error_says_whether_to_retry_and_which_items_are_at_fault(
    error: BrokerError, retry: Retry, positions: tuple[int, ...]
) -> None:
    assert (error.retry, error.positions, error.request_id) == (retry, positions, None)
