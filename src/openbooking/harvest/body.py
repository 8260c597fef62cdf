"""The body of a response, decompressed here and with bounds.

HTTP clients undo every coding that a server names, one after the other: 3 kB that were compressed twice become 2 GB.
So one coding is asked for, no more than one is undone, and no more bytes come out than a page may have.
"""

import zlib
from collections.abc import Iterable

# gzip allows members one after the other; each costs a decompressor.
MAX_MEMBERS = 1_000

_GZIP = 16 + zlib.MAX_WBITS
_CODINGS = {"": False, "identity": False, "gzip": True, "x-gzip": True}


class BodyError(Exception):
    """A body is not read any further; the message says why."""


class CutBodyError(Exception):
    """A body ends before it should, or is spoilt; it may be whole when it is asked for again."""


def is_compressed(headers: Iterable[tuple[str, str]]) -> bool:
    """Whether the body is compressed by gzip, which is the only coding that is asked for.

    Raises:
        BodyError: It has another coding, or more than one.
    """
    codings = [value.strip().lower() for name, value in headers if name.lower() == "content-encoding"]
    coding = codings[0] if len(codings) == 1 else ", ".join(codings)
    if coding not in _CODINGS:
        raise BodyError(f"its Content-Encoding is {coding[:100]!r}, and not gzip")
    return _CODINGS[coding]


class Body:
    """Collects a body.

    Args:
        compressed: Whether it is compressed by gzip.
        length: Its Content-Length, in bytes as they are sent, if it has one.
        most: How many bytes it may have, before and after it is decompressed.
    """

    def __init__(self, *, compressed: bool, length: int | None, most: int) -> None:
        self._member = zlib.decompressobj(_GZIP) if compressed else None
        self._members = 0
        self._length = length
        self._most = most
        self._received = 0
        self._content = bytearray()
        if length is not None and length > most:
            raise BodyError(self._too_large())

    def add(self, chunk: bytes) -> None:
        """Add bytes as they were sent.

        Raises:
            BodyError: The body is too large.
            CutBodyError: This is not gzip.
        """
        self._received += len(chunk)
        if self._received > self._most:
            raise BodyError(self._too_large())
        if self._member is None:
            self._content += chunk
            return
        try:
            self._decompress(chunk)
        except zlib.error as fault:
            raise CutBodyError(f"it cannot be decompressed: {fault}") from fault

    def end(self) -> bytes:
        """The whole body.

        Raises:
            CutBodyError: It was cut off.
        """
        cut = self._length is not None and self._received != self._length
        # A body without any bytes is taken as it is: some name the coding of an empty body too.
        if cut or (self._member is not None and self._received and not self._member.eof):
            raise CutBodyError("it was cut off")
        return bytes(self._content)

    def _decompress(self, data: bytes) -> None:
        member = self._member
        while data and member is not None:
            if member.eof:
                # Zeros may fill up the last block of a file.
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._members += 1
                if self._members > MAX_MEMBERS:
                    raise BodyError(f"it consists of more than {MAX_MEMBERS:,} gzip members")
                self._member = member = zlib.decompressobj(_GZIP)
            self._content += member.decompress(data, self._most + 1 - len(self._content))
            if len(self._content) > self._most:
                raise BodyError(self._too_large())
            data = member.unused_data if member.eof else member.unconsumed_tail

    def _too_large(self) -> str:
        return f"it is larger than {self._most:,} bytes"
