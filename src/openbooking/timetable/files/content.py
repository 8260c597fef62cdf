"""The entries of files, read and checked as a whole."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import NamedTuple

from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.timetable import TimetableRule
from openbooking.openactive.money import VatTreatment
from openbooking.timetable.files.csv_reading import read_csv
from openbooking.timetable.files.documents import Document, FileFault, PartPath, TimetableFileError
from openbooking.timetable.files.rule_reading import read_rule
from openbooking.timetable.files.shapes import KINDS, kind_of, path_of_field
from openbooking.timetable.files.toml_reading import read_toml
from openbooking.timetable.whole_check import check_whole, new_faults

_READERS: Mapping[str, Callable[[str, bytes], Document]] = {".toml": read_toml, ".csv": read_csv}


class SourceFile(NamedTuple):
    """The name and the content of a file. The end of the name says whether it is TOML or CSV."""

    name: str
    content: bytes


class _Part(NamedTuple):
    """The rule of an entry, and where it is."""

    rule: TimetableRule
    document: Document
    path: PartPath

    def fault(self, field: str, text: str) -> FileFault:
        """Return a fault of a field of the rule (`checking.faults.Fault`)."""
        return self.document.fault((*self.path, *path_of_field(self.rule, field)), text)


def read_files(
    seller: Seller, files: Iterable[SourceFile], stored: Mapping[str, TimetableRule], *, replace: bool = False
) -> dict[str, TimetableRule]:
    """Return the rules of files by key.

    Args:
        seller: The Seller. Prices without a VAT treatment get that of the Seller.
        files: The files.
        stored: The stored rules of the Seller, to which the files may refer.
        replace: Whether the files replace the whole timetable: the stored entries that they do not have are removed.

    Raises:
        TimetableFileError: A file cannot be read, a rule is not right, or a stored rule would be wrong afterwards.
    """
    parts = _Parts(seller.default_vat)
    for file in files:
        parts.add(file)
    if parts.faults:
        raise TimetableFileError(parts.faults)
    rules = {key: part.rule for key, part in parts.found.items()}
    after = rules if replace else {**stored, **rules}
    faults = [*_faults_of_files(seller, parts.found, stored, after), *_faults_of_stored(seller, rules, stored, after)]
    if faults:
        raise TimetableFileError(faults)
    return rules


def _faults_of_files(
    seller: Seller, parts: Mapping[str, _Part], stored: Mapping[str, TimetableRule], after: Mapping[str, TimetableRule]
) -> Iterator[FileFault]:
    found = check_whole(seller, after)
    for key, part in parts.items():
        for fault in found.get(key, ()):
            yield part.fault(fault.field, fault.text)
        if key in stored and type(stored[key]) is not type(part.rule):
            yield part.fault("", f"There is a {kind_of(stored[key])} {key} already. Use another key.")


def _faults_of_stored(
    seller: Seller,
    rules: Mapping[str, TimetableRule],
    stored: Mapping[str, TimetableRule],
    after: Mapping[str, TimetableRule],
) -> Iterator[FileFault]:
    """Yield the faults that the files cause in stored entries which they do not have."""
    for key, faults in new_faults(seller, stored, after).items():
        if key not in rules:
            for fault in faults:
                yield FileFault(f"stored {kind_of(stored[key])} {key}", fault.field, fault.text)


class _Parts:
    """Collects the entries of files, and their faults."""

    def __init__(self, vat: VatTreatment) -> None:
        self._vat = vat
        self.found: dict[str, _Part] = {}
        self.faults: list[FileFault] = []

    def add(self, file: SourceFile) -> None:
        """Read a file."""
        reader = _READERS.get(PurePath(file.name).suffix.lower())
        if reader is None:
            self.faults.append(FileFault(file.name, "", "Give a file whose name ends in .toml or .csv."))
            return
        try:
            document = reader(*file)
        except TimetableFileError as fault:
            self.faults += fault.faults
            return
        for kind, entries in document.data.items():
            self._add_kind(document, kind, entries)

    def _add_kind(self, document: Document, kind: str, entries: object) -> None:
        if kind not in KINDS:
            text = f"There is no kind {kind!r} of entries. The kinds are: {', '.join(KINDS)}."
            self.faults.append(document.fault((kind,), text))
        elif not isinstance(entries, Mapping) or not all(isinstance(entry, Mapping) for entry in entries.values()):
            text = f"Begin each entry with its kind and its key in brackets, such as [{kind}.my-{kind}]."
            self.faults.append(document.fault((kind,), text))
        else:
            for key, data in entries.items():
                self._add_entry(document, kind, key, data)

    def _add_entry(self, document: Document, kind: str, key: str, data: object) -> None:
        path = (kind, key)
        rule = read_rule(kind, data, path, lambda at, text: self.faults.append(document.fault(at, text)), self._vat)
        if key in self.found:
            other = self.found[key].document.fault(self.found[key].path, "")
            text = f"Another entry has the key {key}: {other.file}, {other.place}. Use another key."
            self.faults.append(document.fault(path, text))
        elif rule is not None:
            self.found[key] = _Part(rule, document, path)
