"""The body of a response, decompressed within limits.

HTTP clients decode every content coding that a server names, so that 3 kB that were compressed twice can become 2 GB.
Requests of this package accept gzip alone. At most one coding is decoded, and decompression stops at the size limit of
a page.
"""

import zlib
from collections.abc import Iterable

# A gzip file may consist of several members. Each needs a decompressor.
MAX_MEMBERS = 1_000

_GZIP = 16 + zlib.MAX_WBITS
_CODINGS = {"": False, "identity": False, "gzip": True, "x-gzip": True}


class BodyError(Exception):
    """A body is too large or has an unknown coding. Another request would give the same."""


class CutBodyError(Exception):
    """A body is incomplete or damaged; another request may succeed."""


def is_compressed(headers: Iterable[tuple[str, str]]) -> bool:
    """Return whether the body is compressed by gzip.

    Raises:
        BodyError: The body has another coding, or more than one.
    """
    codings = [value.strip().lower() for name, value in headers if name.lower() == "content-encoding"]
    coding = codings[0] if len(codings) == 1 else ", ".join(codings)
    if coding not in _CODINGS:
        raise BodyError(f"its Content-Encoding is {coding[:100]!r}, and not gzip")
    return _CODINGS[coding]


class Body:
    """Collects and decompresses the body of a response.

    Args:
        compressed: Whether the body is compressed by gzip.
        length: The Content-Length in bytes, before decompression; None if absent.
        max_bytes: The most bytes that the body may have, before and after decompression.

    Raises:
        BodyError: The Content-Length is too large.
    """

    def __init__(self, *, compressed: bool, length: int | None, max_bytes: int) -> None:
        self._member = zlib.decompressobj(_GZIP) if compressed else None
        self._members = 0
        self._length = length
        self._max_bytes = max_bytes
        self._received = 0
        self._content = bytearray()
        if length is not None and length > max_bytes:
            raise BodyError(self._too_large())

    def add(self, chunk: bytes) -> None:
        """Add a chunk of bytes, as the server sent it.

        Raises:
            BodyError: The body is too large.
            CutBodyError: The body is not valid gzip.
        """
        self._received += len(chunk)
        if self._received > self._max_bytes:
            raise BodyError(self._too_large())
        if self._member is None:
            self._content += chunk
            return
        try:
            self._decompress(chunk)
        except zlib.error as fault:
            raise CutBodyError(f"it cannot be decompressed: {fault}") from fault

    def end(self) -> bytes:
        """Return the whole body, decompressed. Call this when the response has ended.

        Raises:
            CutBodyError: The body is incomplete.
        """
        cut = self._length is not None and self._received != self._length
        # An empty body is accepted with any coding, because some servers name one for it.
        if cut or (self._member is not None and self._received and not self._member.eof):
            raise CutBodyError("it was cut off")
        return bytes(self._content)

    def _decompress(self, data: bytes) -> None:
        member = self._member
        while data and member is not None:
            if member.eof:
                # The last block of a file may be padded with zeros.
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._members += 1
                if self._members > MAX_MEMBERS:
                    raise BodyError(f"it consists of more than {MAX_MEMBERS:,} gzip members")
                self._member = member = zlib.decompressobj(_GZIP)
            self._content += member.decompress(data, self._max_bytes + 1 - len(self._content))
            if len(self._content) > self._max_bytes:
                raise BodyError(self._too_large())
            data = member.unused_data if member.eof else member.unconsumed_tail

    def _too_large(self) -> str:
        return f"it is larger than {self._max_bytes:,} bytes"
