"""Why an import does not happen."""

from openbooking.user_error import UserError


class ImportRefusedError(UserError):
    """Nothing can be imported: there is nothing to read, or nobody to sell it; the message says why."""


class NotConfirmedError(UserError):
    """Nothing was imported, because it would have cancelled Orders and nobody confirmed that; the message says so."""
