"""Errors that prevent an import."""

from openbooking.user_error import UserError


class ImportRefusedError(UserError):
    """The import cannot begin: its source cannot be read, or its Seller does not exist."""


class NotConfirmedError(UserError):
    """The import would cancel Orders, and the operator did not confirm that. Nothing was imported."""
