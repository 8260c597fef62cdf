"""What the integrity check, or a look at the settings of a database server, reports."""

from typing import NamedTuple


class Finding(NamedTuple):
    """A contradiction in the database, or a setting that makes replies less durable than promised.

    Attributes:
        about: What the finding is about, as the subject of a sentence.
        wrong: What is wrong with it, as the rest of that sentence.
    """

    about: str
    wrong: str
