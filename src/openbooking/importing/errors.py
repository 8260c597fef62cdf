"""Errors that prevent an import."""

from openbooking.user_error import UserError


class ImportRefusedError(UserError):
    """Nothing can be imported, because the source cannot be read or the Seller does not exist."""


class NotConfirmedError(UserError):
    """Nothing was imported, because the import would cancel Orders and the operator did not confirm that."""
