"""Records the examples of the OpenAPI document again: `make examples`."""

import asyncio
import tempfile
from pathlib import Path

from support.openapi.story import EXAMPLES, record, written


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        EXAMPLES.write_bytes(written(asyncio.run(record(Path(folder)))))


if __name__ == "__main__":
    main()
