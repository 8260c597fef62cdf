"""Finds all commands of a Booking System."""

from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import openbooking.booking.commands
from openbooking.booking.command import Command
from openbooking.booking.commands.orders.seller_decisions import SellerCommand


def command_classes() -> list[type[Any]]:
    """Return every command class in `openbooking.booking.commands`, sorted by name, without base classes."""
    package = openbooking.booking.commands
    modules = [import_module(found.name) for found in walk_packages(package.__path__, f"{package.__name__}.")]
    kinds = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type)}
    found = {kind for kind in kinds if hasattr(kind, "needs") and hasattr(kind, "decide")} - {Command, SellerCommand}
    return sorted(found, key=lambda kind: kind.__name__)
