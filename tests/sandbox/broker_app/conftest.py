"""The sample app, served once for each module, and its Customers."""

from collections.abc import Iterator

import pytest

from openbooking.sandbox.broker_app import following
from support.broker.sample_app import Customer, Sample, sample_app


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """The app beside the other Booking System. It follows changes several times a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(following, "FOLLOW_SECONDS", 0.2)
        with sample_app(tmp_path_factory.mktemp("app") / "app.sqlite3") as started:
            yield started


@pytest.fixture
def sam(sample: Sample) -> Customer:
    """A Customer."""
    return sample.customer()
