"""The flows that need no credentials: the dataset site of a Booking System, and searches of what was harvested."""

from openbooking.broker.api.discovery import BookingSystem, discover
from openbooking.broker.catalogue.catalogue import Catalogue
from openbooking.broker.catalogue.query import Search
from openbooking.broker.catalogue.search import Activity, Hit
from openbooking.broker.flow import Flow, work
from openbooking.broker.store.database import Database
from openbooking.harvest.client import HarvestOptions
from openbooking.openactive.messages import JsonObject


class OpenDataFlows:
    """The flows of the open data of one Booking System.

    Args:
        site: The URL of the dataset site.
        database: The database, with its tables.
        options: The clock of the harvest.

    Attributes:
        database: The database.
    """

    def __init__(self, site: str, database: Database, options: HarvestOptions) -> None:
        self.database = database
        self._site = site
        self._harvest = options
        self._system: BookingSystem | None = None

    def discover(self) -> Flow[BookingSystem]:
        """Return the Booking System that the dataset site describes. The site is read once.

        Raises:
            DiscoveryError: The site cannot be read, or is no dataset site.
        """
        if self._system is None:
            self._system = yield from discover(self._site)
        return self._system

    def search(self, search: Search) -> Flow[list[Hit]]:
        """Search what was harvested.

        Raises:
            SearchError: A term is out of bounds, or hits are to be sorted by the distance from nowhere.
        """
        return (yield from work(lambda: self._known.search(search)))

    def find(self, id_: str, requirements: frozenset[str] = frozenset()) -> Flow[Hit | None]:
        """Return the Opportunity with an `@id`, with what it inherits; None if no feed that was harvested has it.

        Args:
            id_: The `@id`.
            requirements: The flow requirements that the Broker supports. The Offers of the hit need no others.
        """
        return (yield from work(lambda: self._known.find(id_, requirements)))

    def activities(self, requirements: frozenset[str] = frozenset()) -> Flow[list[Activity]]:
        """Return the activities and facility types of what can be booked now, by label, with the number of each.

        The whole index is read, which takes seconds for a million Opportunities.

        Args:
            requirements: The flow requirements that the Broker supports.
        """
        return (yield from work(lambda: self._known.activities(requirements)))

    def catalogue(self) -> Flow[Catalogue]:
        """Return the catalogue with the open feeds of the Booking System.

        Raises:
            DiscoveryError: The dataset site cannot be read.
        """
        system = yield from self.discover()
        urls: dict[str, str] = {}
        for feed in system.feeds:
            # Several feeds may have items of one type.
            number = sum(name.partition(" ")[0] == feed.type for name in urls)
            urls[f"{feed.type} {number + 1}" if number else feed.type] = feed.url
        return Catalogue(self.database, self._site, urls, self._harvest)

    def learn_concepts(self, scheme: JsonObject) -> Flow[None]:
        """Learn which activities are narrower than others from a concept scheme, such as OpenActive's activity list.

        Args:
            scheme: The concept scheme in JSON-LD.
        """
        yield from work(lambda: self._known.learn_concepts(scheme))

    @property
    def _known(self) -> Catalogue:
        """The catalogue as it was harvested."""
        return Catalogue(self.database, self._site, {}, self._harvest)
