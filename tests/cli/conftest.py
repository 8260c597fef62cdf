"""Each test of the commands has a database of its own, and no settings from the environment."""

import shutil
from pathlib import Path

import pytest

from support.command_line import database
from support.seller_office import fill

__all__ = ["database"]


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a database with bookings, which tests copy."""
    folder = tmp_path_factory.mktemp("filled")
    fill(folder / "openbooking.sqlite3")
    return folder


@pytest.fixture
def bookings(database: Path, filled: Path) -> Path:
    """Put bookings into the database of the commands, and return its path."""
    for file in filled.iterdir():
        shutil.copy(file, database.parent / file.name)
    return database
