"""TOML files as documents."""

import re
import tomllib
from decimal import Decimal

from openbooking.timetable.files.documents import Document, FileFault, TimetableFileError, decode
from openbooking.timetable.files.toml_places import toml_places

_PLACE = re.compile(r"(?P<text>.*) \(at (?P<place>line \d+, column \d+|end of document)\)", re.DOTALL)


def read_toml(name: str, content: bytes) -> Document:
    """Return a TOML file as a document.

    Raises:
        TimetableFileError: The file is no TOML.
    """
    text = decode(name, content).replace("\r\n", "\n")
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as fault:
        found = _PLACE.fullmatch(str(fault))
        told, place = (found["text"], found["place"]) if found else (str(fault) or type(fault).__name__, "")
        raise TimetableFileError([FileFault(name, place, f"The file is no TOML: {told}.")]) from fault
    return Document(name, data, toml_places(text))
