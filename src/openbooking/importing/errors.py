"""Why an import does not happen."""


class ImportRefusedError(Exception):
    """Nothing can be imported: there is nothing to read, or nobody to sell it; the message says why."""


class NotConfirmedError(Exception):
    """Nothing was imported, because it would have cancelled Orders and nobody confirmed that; the message says so."""
