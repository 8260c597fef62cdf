"""Catalogues for tests, on each database."""

import pytest

from openbooking.broker.store.database import Database
from support.catalogue.shelf import Shelf


@pytest.fixture
def shelf(database: Database) -> Shelf:
    """An empty catalogue."""
    return Shelf(database)
