"""Copies of the package, in which tests change the code."""

from pathlib import Path

import openbooking


def copy_package(folder: Path) -> Path:
    """Copy the package into a folder, from which Python can import it, and return the path of the copy."""
    package = Path(openbooking.__file__).parent
    for file in package.rglob("*"):
        copy = folder / "openbooking" / file.relative_to(package)
        if file.is_file() and "__pycache__" not in file.parts:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    return folder / "openbooking"


def change_code(file: Path, old: str, new: str) -> None:
    """Replace a part of the code of a file, which it must have."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
