"""Why an import cannot begin."""


class ImportRefusedError(Exception):
    """Nothing can be imported: there is nothing to read, or nobody to sell it; the message says why."""
