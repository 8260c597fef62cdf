"""The console of a Booking System, on each store."""

from functools import partial

import pytest

from support.console import SignIn, signed_in
from support.http_system import World


@pytest.fixture
def sign_in(world: World) -> SignIn:
    """Sign in with a new browser: as ann, a manager of the centre; cat, its staff; ben, the manager of the studio."""
    return partial(signed_in, world)
