"""The checks of Venues, and of what people read about a class, a facility, an event, a course or an on-demand item."""

from openbooking.booking.model.timetable import Described, Facility, OnDemandItem, Venue
from openbooking.openactive.contact_details import is_country
from openbooking.openactive.web_addresses import is_web_address
from openbooking.timetable.checking.faults import Faults
from openbooking.timetable.concepts import Vocabulary, find

_OLDEST = 120
_LONGEST_TEXT = 10_000
# The rule or the system gives these properties.
_GIVEN = frozenset(
    {
        *("@context", "@type", "@id", "id", "type", "identifier", "name", "description", "url", "location", "activity"),
        *("facilityType", "leader", "level", "ageRange", "offers", "startDate", "endDate", "duration", "eventStatus"),
        *("eventSchedule", "subEvent", "superEvent", "event", "facilityUse", "individualFacilityUse", "organizer"),
        *("aggregateFacilityUse", "provider", "maximumAttendeeCapacity", "remainingAttendeeCapacity", "maximumUses"),
        *("remainingUses", "isAccessibleForFree"),
    }
)


def check_venue(venue: Venue, faults: Faults) -> None:
    """Check a Venue. Apps that show Opportunities on a map need the whole address."""
    faults.require_name(venue.name)
    for field, what in (("street", "street address"), ("town", "town"), ("region", "county"), ("postcode", "postcode")):
        faults.require(bool(getattr(venue, field).strip()), field, f"Give the {what}.")
    faults.require(is_country(venue.country), "country", "Give the two letters of a country in ISO 3166, such as GB.")
    are_both = (venue.latitude is None) == (venue.longitude is None) or faults.has("latitude")
    faults.require(are_both, "longitude", "Give both latitude and longitude, or none of them.")
    for field, most in (("latitude", 90), ("longitude", 180)):
        degrees = getattr(venue, field)
        is_right = degrees is None or -most <= degrees <= most
        faults.require(is_right, field, f"Give degrees from -{most} to {most}.")


def check_description(rule: Described, venues: frozenset[str], site: str, faults: Faults) -> None:
    """Check what people read about a rule.

    Args:
        rule: The rule.
        venues: The keys of the Venues of the Seller.
        site: The web page of the Seller; empty for none.
        faults: The faults of the rule.
    """
    faults.require_name(rule.name)
    faults.require(len(rule.description) <= _LONGEST_TEXT, "description", f"Use at most {_LONGEST_TEXT:,} characters.")
    page = rule.url or site
    faults.require(is_web_address(page), "url", "Give a web page that begins with https://, such as your own site.")
    is_image = not rule.image or is_web_address(rule.image)
    faults.require(is_image, "image", "Give the address of a picture, which begins with https://.")
    _check_place(rule, venues, faults)
    _check_concepts(rule, faults)
    faults.require_number(rule.minimum_age, "minimum_age", 0, _OLDEST)
    faults.require_number(rule.maximum_age, "maximum_age", 0, _OLDEST)
    least, most = rule.minimum_age or 0, _OLDEST if rule.maximum_age is None else rule.maximum_age
    faults.require(least <= most, "maximum_age", "The greatest age is below the least age.")
    own = _GIVEN | {"image"} if rule.image else _GIVEN
    given = ", ".join(sorted(own.intersection(rule.properties)))
    faults.require(not given, "properties", f"Leave out {given}: this follows from the rest of the rule.")


def _check_place(rule: Described, venues: frozenset[str], faults: Faults) -> None:
    if isinstance(rule, OnDemandItem):
        faults.require(not rule.venue, "venue", "Leave out the venue: an on-demand item is available anywhere.")
    elif rule.venue:
        faults.require(rule.venue in venues, "venue", f"There is no venue {rule.venue}.")
    else:
        faults.require(is_right=False, field="venue", text="Choose a venue.")


def _check_concepts(rule: Described, faults: Faults) -> None:
    is_facility = isinstance(rule, Facility)
    vocabulary = Vocabulary.FACILITY_TYPES if is_facility else Vocabulary.ACTIVITIES
    what = "type of facility" if is_facility else "activity"
    faults.require(bool(rule.concepts), "concepts", f"Choose at least one {what}.")
    for number, concept in enumerate(rule.concepts):
        is_known = find(vocabulary, concept.id) is not None
        faults.require(is_known, f"concepts.{number}", f"Choose one {what} from OpenActive's list.")
