"""Scripted faults of the other Booking System."""

import socket
import time
from typing import Any

import httpx2
import pytest

from openbooking.openactive.messages import OpenBookingError
from support.other_system.caller import Caller, decoded
from support.other_system.system import other_system


def test_a_fault_is_a_status_for_the_next_requests_only(caller: Caller) -> None:
    caller.system.fail_next("B", 503, times=2)
    caller.system.fail_next("B", 429)
    statuses = [caller.book("yoga")[1] for _ in range(4)]
    assert [response.status_code for response in statuses] == [503, 503, 429, 201]
    assert statuses[0].headers["Content-Type"].startswith("text/html")
    assert (statuses[0].headers["Retry-After"].endswith("GMT"), statuses[2].headers["Retry-After"]) == (True, "0")
    assert len(caller.system.orders) == 1


def test_a_fault_can_be_an_error_of_the_specification(caller: Caller) -> None:
    caller.system.fail_next("B", 503, error="TemporarilyUnableToCreateOrderError")
    uuid, response = caller.book("yoga")
    assert response.status_code == 503
    assert decoded(response, OpenBookingError).type == "TemporarilyUnableToCreateOrderError"
    assert uuid not in caller.system.orders


@pytest.mark.parametrize(("fault", "booked"), [("silence", 0), ("lost after commit", 1), ("cut", 1)])
def test_a_reply_is_lost_before_or_after_the_booking(caller: Caller, fault: Any, booked: int) -> None:
    if fault == "silence":
        caller.client.timeout = httpx2.Timeout(0.3)
    caller.system.fail_next("B", fault)
    with pytest.raises(httpx2.TimeoutException if fault == "silence" else httpx2.RemoteProtocolError):
        caller.book("yoga")
    assert len(caller.system.orders) == booked
    assert caller.system.requests[-1][::2] == ("B", None)


def test_a_silent_request_does_not_keep_the_system_running() -> None:
    with other_system() as system, socket.create_connection(("127.0.0.1", httpx2.URL(system.url).port)) as connection:
        system.fail_next("dataset site", "silence")
        connection.sendall(b"GET /openactive HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not system.requests:
            time.sleep(0.005)
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(system.url, verify=False)
