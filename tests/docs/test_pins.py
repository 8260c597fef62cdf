"""Every package is pinned by its version and the hashes of its files, and installed with them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FOLDERS = (ROOT, ROOT / "benchmarks", ROOT / "deploy")
PINS = sorted(file for folder in FOLDERS for file in folder.glob("requirements*.txt"))


@pytest.mark.parametrize("file", PINS, ids=lambda path: path.name)
def test_every_package_is_pinned_with_hashes_and_without_a_host(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    packages = re.split(r"\n(?=[a-z])", re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE))
    assert len(packages) > 1
    pinned = re.compile(r"[\w.\[\],-]+==[\w.+!-]+( ; .+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n?")
    assert [package for package in packages if not pinned.fullmatch(package)] == []
    assert not re.search(r"//|--index|--find-links", text)


def test_pins_are_installed_with_their_hashes() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = re.findall(r"install (.*(?:\\\n.*)?requirements\S*\.txt)", makefile)
    assert len(installs) == len(PINS)
    assert [install for install in installs if not install.startswith("--require-hashes ")] == []
