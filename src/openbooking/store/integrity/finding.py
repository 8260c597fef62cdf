"""A finding of the integrity check, or of the check of a database server's settings."""

from typing import NamedTuple


class Finding(NamedTuple):
    """A contradiction in the database, or a setting that makes replies less durable than promised.

    Attributes:
        about: The subject of the finding, for example an Order, as the beginning of a sentence.
        wrong: What is wrong with the subject, as the rest of that sentence.
    """

    about: str
    wrong: str
