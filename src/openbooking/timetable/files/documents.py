"""A file as nested data, with the places of its parts, and the faults of files."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from openbooking.user_error import UserError

# The keys and the numbers of elements that lead to a part of a file, such as ("class", "spin", "times", 0, "days").
PartPath: TypeAlias = tuple[str | int, ...]


class FileFault(NamedTuple):
    """A fault of a file.

    Attributes:
        file: The name of the file.
        place: The line and the column; empty for the whole file.
        text: What is wrong and what to do, as a sentence.
    """

    file: str
    place: str
    text: str

    def __str__(self) -> str:
        """Return the fault in one line."""
        return f"{', '.join(filter(None, (self.file, self.place)))}: {self.text}"


class TimetableFileError(UserError):
    """Files have faults, so nothing of them is applied.

    Args:
        faults: The faults.
    """

    def __init__(self, faults: Iterable[FileFault]) -> None:
        self.faults = tuple(faults)
        super().__init__(" ".join(map(str, self.faults)))


class Document(NamedTuple):
    """A file that was read.

    Attributes:
        name: The name of the file.
        data: Its data: by kind of entry, and by key of entry.
        places: The lines and columns of its parts.
    """

    name: str
    data: Mapping[str, Any]
    places: Mapping[PartPath, str]

    def fault(self, path: PartPath, text: str) -> FileFault:
        """Return a fault at the place of a part, or at that of the next part around it."""
        around = (path[:length] for length in range(len(path), 0, -1))
        return FileFault(self.name, next((self.places[each] for each in around if each in self.places), ""), text)


def decode(name: str, content: bytes) -> str:
    """Return the text of a file.

    Raises:
        TimetableFileError: The file is not in UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content[: fault.start].count(b"\n") + 1
        text = "The file is not in UTF-8. Save it in this encoding."
        raise TimetableFileError([FileFault(name, f"line {line}", text)]) from fault
