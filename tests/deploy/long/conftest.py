"""Checks with programs that `make test` does not install; `make deployment` installs and runs them."""

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave this folder out unless `--deployment` is given."""
    del collection_path
    return None if config.getoption("--deployment") else True
