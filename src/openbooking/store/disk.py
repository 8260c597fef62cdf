"""Writing to the disk what the operating system keeps in memory."""

import os
from pathlib import Path


def flush(path: Path) -> None:
    """Return once the contents of a file, or the names in a folder, are on disk; raise OSError if they cannot be."""
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folders, and writes their changes itself
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)
