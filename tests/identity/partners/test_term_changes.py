"""Changes of the terms between a Seller and a Booking Partner."""

import pytest

from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.identity.partners.term_changes import ClearableTerm, InvalidTermsError, TermChanges
from openbooking.openactive.ids import OfferRef
from support.identity_provider import IDS

OFFER = "session-series/yoga#/offers/adult"
AGREED = GrantTerms(offer_overrides=True, dynamic_accounts=frozenset({"A"}), venues=frozenset({"Hall"}), open_quotes=3)


@pytest.mark.spec("OB-OVR-01", "OB-DYN-01")
def test_a_changed_term_replaces_its_value_and_other_terms_stay() -> None:
    changed = TermChanges(dynamic_accounts=[" B ", "C"], open_proposals=0).on(IDS)(AGREED)
    assert changed == GrantTerms(
        offer_overrides=True,
        dynamic_accounts=frozenset({"B", "C"}),
        venues=frozenset({"Hall"}),
        open_quotes=3,
        open_proposals=0,
    )


def test_term_changes_without_a_value_change_no_term() -> None:
    assert TermChanges().is_empty
    assert TermChanges().on(IDS)(AGREED) == AGREED
    assert not TermChanges(offer_overrides=False).is_empty


@pytest.mark.parametrize("term", ClearableTerm)
def test_each_clearable_term_is_reset_to_its_default(term: ClearableTerm) -> None:
    full = GrantTerms(
        dynamic_accounts=frozenset({"A"}),
        venues=frozenset({"Hall"}),
        activities=frozenset({"Yoga"}),
        offers=frozenset({OfferRef("session-series/yoga", "adult")}),
        open_quotes=1,
        open_proposals=1,
    )
    cleared = TermChanges(clear=[term]).on(IDS)(full)
    changed = [name for name in GrantTerms.__struct_fields__ if getattr(cleared, name) != getattr(full, name)]
    assert changed == [term.field]
    assert getattr(cleared, term.field) == getattr(NO_TERMS, term.field)


@pytest.mark.parametrize("text", [OFFER, f"{IDS.base_uri}/identifiers/{OFFER}"])
def test_an_offer_is_accepted_with_and_without_the_base_uri(text: str) -> None:
    assert TermChanges(offers=[text]).on(IDS)(NO_TERMS).offers == frozenset({OfferRef("session-series/yoga", "adult")})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (TermChanges(offers=["session-series/yoga"]), "names no Offer"),
        (TermChanges(venues=["*"]), "Name each venue"),
        (TermChanges(activities=[" "]), "Name each activity"),
        (TermChanges(dynamic_accounts=[""]), "Name each account"),
        (
            TermChanges(open_quotes=1, clear=[ClearableTerm.OPEN_QUOTES]),
            "Set or clear each of these terms, not both: open_quotes",
        ),
    ],
)
def test_contradictory_term_changes_are_refused(changes: TermChanges, reason: str) -> None:
    with pytest.raises(InvalidTermsError, match=reason):
        changes.on(IDS)
