"""Errors that prevent an import."""


class ImportRefusedError(Exception):
    """Nothing can be imported, because the source cannot be read or the Seller does not exist."""


class NotConfirmedError(Exception):
    """Nothing was imported, because the import would cancel Orders and the operator did not confirm that."""
