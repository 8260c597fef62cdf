"""The limit of a decompressed body."""

import zlib

import pytest

from openbooking.harvest.body import Body, BodyError


def zeros(megabytes: int) -> bytes:
    """Return a gzip member that decompresses to this many megabytes of zeros."""
    packer = zlib.compressobj(9, wbits=31)
    blocks = [packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2)]
    return blocks[0] + blocks[1] * (megabytes - 1)


def test_decompression_stops_at_the_size_limit() -> None:
    body = Body(compressed=True, length=None, max_bytes=5_000_000)
    bomb = zeros(2_000)
    assert len(bomb) < 5_000_000
    with pytest.raises(BodyError, match=r"larger than 5,000,000 bytes"):
        body.add(bomb)
    assert len(body._content) == 5_000_001
