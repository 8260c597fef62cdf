"""`openbooking proposal`: list, accept, reject and amend."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from openbooking.booking.model.record import ProposalRecord
from openbooking.openactive.terms import OrderProposalStatus
from support.command_line import fail, misuse, run, succeed
from support.seller_office import ORDER, PROPOSAL, propose_another, record_of

OF_CENTRE = ("--seller", "centre")


def proposal(database: Path) -> ProposalRecord:
    record = record_of(database, PROPOSAL)
    assert isinstance(record, ProposalRecord)
    return record


def test_proposal_list_shows_the_proposals_that_wait(bookings: Path) -> None:
    row = json.loads(succeed("proposal", "list", *OF_CENTRE, "--json"))
    assert (row["proposal"], row["items"], row["total"], row["partner"]) == (PROPOSAL, 1, 12.0, "Alice")
    assert row["shortage"] == ""
    assert succeed("proposal", "list", "--seller", "studio", "--json") == ""


def test_proposal_list_finds_proposals_by_people_also_accepted_ones(bookings: Path) -> None:
    for search in ("geoff@example.com", "geo", "020 811 8055"):
        row = json.loads(succeed("proposal", "list", *OF_CENTRE, "--json", "--search", search))
        assert (row["proposal"], row["status"]) == (PROPOSAL, OrderProposalStatus.AWAITING)
    succeed("proposal", "accept", PROPOSAL, *OF_CENTRE)
    assert "accepted, not booked yet" in succeed("proposal", "list", *OF_CENTRE, "--search", "geoff")
    assert succeed("proposal", "list", *OF_CENTRE, "--json", "--search", "eve") == ""
    assert succeed("proposal", "list", "--seller", "studio", "--json", "--search", "geoff") == ""


def test_proposal_list_shows_what_is_not_left_for_all(bookings: Path) -> None:
    propose_another(bookings)
    rows = [json.loads(line) for line in succeed("proposal", "list", *OF_CENTRE, "--json").splitlines()]
    assert {row["shortage"] for row in rows} == {"Yoga: 1 left, 2 wanted"}


def test_proposal_accept_accepts_with_a_note(bookings: Path) -> None:
    assert "The partner can book now." in succeed("proposal", "accept", PROPOSAL, *OF_CENTRE, "--note", "Welcome.")
    decided = proposal(bookings).proposal
    assert (decided.status, decided.seller_note) == (OrderProposalStatus.ACCEPTED, "Welcome.")
    assert succeed("proposal", "list", *OF_CENTRE, "--json") == ""


def test_proposal_accept_warns_that_another_one_cannot_be_booked(bookings: Path) -> None:
    propose_another(bookings)
    done = run("proposal", "accept", PROPOSAL, *OF_CENTRE)
    assert done.exit_code == 0
    assert done.stderr == "Not all waiting proposals can be booked. Yoga: 1 left, 2 wanted.\n"


def test_proposal_reject_cannot_be_undone(bookings: Path) -> None:
    succeed("proposal", "reject", PROPOSAL, *OF_CENTRE)
    assert proposal(bookings).proposal.status is OrderProposalStatus.SELLER_REJECTED
    assert "Rejected" in fail(1, "proposal", "accept", PROPOSAL, *OF_CENTRE)


def test_proposal_amend_offers_a_new_price(bookings: Path) -> None:
    succeed("proposal", "amend", PROPOSAL, *OF_CENTRE, "--price", "1=9.50")
    ((item, _),) = proposal(bookings).items()
    assert item.offer.price == Decimal("9.50")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--without", "1"), "at least one item"),
        (("--price", "2=9"), "no such item"),
        (("--note", "x" * 1001), "at most 1000"),
    ],
)
def test_proposal_amend_refuses_wrong_changes(bookings: Path, options: tuple[str, ...], reason: str) -> None:
    assert reason in fail(1, "proposal", "amend", PROPOSAL, *OF_CENTRE, *options)
    assert proposal(bookings).proposal.amended is None


@pytest.mark.parametrize(("price", "reason"), [("9.50", "such as 2=12.50"), ("1=many", "no amount")])
def test_proposal_amend_tells_a_wrong_price_at_its_option(bookings: Path, price: str, reason: str) -> None:
    told = misuse("proposal", "amend", PROPOSAL, *OF_CENTRE, "--price", price)
    assert "'--price'" in told
    assert reason in told
    assert proposal(bookings).proposal.amended is None


@pytest.mark.parametrize("command", ["accept", "reject", "amend"])
def test_a_proposal_of_another_seller_does_not_exist(bookings: Path, command: str) -> None:
    assert "has no Order" in fail(1, "proposal", command, PROPOSAL, "--seller", "studio")
    assert proposal(bookings).proposal.status is OrderProposalStatus.AWAITING


def test_an_order_is_no_proposal(bookings: Path) -> None:
    assert "is no OrderProposal" in fail(1, "proposal", "accept", ORDER, *OF_CENTRE)
