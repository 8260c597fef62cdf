"""The packages, the list of their libraries, and the licences of these."""

import json
import re
import subprocess
import sys
import tarfile
from email.message import Message
from email.parser import Parser
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest

import licences

ROOT = Path(__file__).parents[2]
PINS = (ROOT / "requirements.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the packages, which the script has built twice and compared."""
    assert find_spec("hatchling"), "requirements-build.txt is not installed."
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, str(ROOT / "scripts" / "build_packages.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("two builds are equal") == 2
    return folder


def metadata(packages: Path) -> Message:
    (wheel,) = packages.glob("*.whl")
    with ZipFile(wheel) as content:
        (name,) = (name for name in content.namelist() if name.endswith("/METADATA"))
        return Parser().parsestr(content.read(name).decode())


def test_the_wheel_has_each_file_of_the_package_and_nothing_else(packages: Path) -> None:
    (wheel,) = packages.glob("*.whl")
    with ZipFile(wheel) as content:
        found = {name for name in content.namelist() if ".dist-info/" not in name}
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "src"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found == {name.removeprefix("src/") for name in tracked.stdout.split()}
    assert {"openbooking/py.typed", "openbooking/web/templates/favicon.svg"} <= found


def test_the_sdist_has_tests_and_documents(packages: Path) -> None:
    (sdist,) = packages.glob("*.tar.gz")
    with tarfile.open(sdist) as content:
        names = {name.partition("/")[2] for name in content.getnames()}
    assert {"LICENSE", "SECURITY.md", "CHANGELOG.md", "README.md", "docs/README.md", "tests/conftest.py"} <= names


def test_the_metadata_names_versions_of_python_extras_and_addresses(packages: Path) -> None:
    told = metadata(packages)
    classifiers = told.get_all("Classifier", [])
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)} <= set(classifiers)
    assert {"testing", "broker-postgres"} <= set(told.get_all("Provides-Extra", []))
    addresses = [each.partition(", ")[2] for each in told.get_all("Project-URL", [])]
    assert addresses
    assert all(address.startswith("https://") for address in addresses)


def test_the_sbom_has_the_libraries_of_the_lock(tmp_path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    options = re.search(r"cyclonedx-py (.*?) requirements\.txt$", makefile, re.MULTILINE | re.DOTALL)
    assert options
    words = options[1].replace("\\\n", " ").replace("dist/", f"{tmp_path}/").split()
    tool = str(Path(sys.executable).with_name("cyclonedx-py"))
    subprocess.run([tool, *words, "requirements.txt"], cwd=ROOT, capture_output=True, check=True)
    sbom = json.loads((tmp_path / "openbooking.cdx.json").read_text())
    assert (sbom["bomFormat"], sbom["metadata"]["component"]["name"]) == ("CycloneDX", "openbooking")
    assert {component_pin(each) for each in sbom["components"]} == set(lock())


def component_pin(component: dict[str, object]) -> tuple[object, object, frozenset[str]]:
    hashes = re.findall(r'"content": "([0-9a-f]{64})"', json.dumps(component))
    return component["name"], component["version"], frozenset(hashes)


def lock() -> list[tuple[str, str, frozenset[str]]]:
    """Return the name, the version and the hashes of each library in requirements.txt."""
    found = []
    for pin in re.split(r"\n(?=[a-z])", PINS):
        name, version = re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([\w.+!-]+)", pin).groups()  # type: ignore[union-attr]
        found.append((name, version, frozenset(re.findall(r"sha256:([0-9a-f]{64})", pin))))
    return found


def test_the_audit_fails_for_a_library_that_cannot_be_compared() -> None:
    """Without `--strict` the audit succeeds although nothing is known about a library."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    options = re.search(r"pip-audit (.*)$", makefile, re.MULTILINE)
    assert options
    assert "--strict" in options[1].split()


def test_the_page_of_licences_is_up_to_date_and_each_licence_is_allowed() -> None:
    found = licences.licences()
    assert sorted(found) == licences.pinned()
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page(found)
    assert [name for name, licence in found.items() if licences.not_allowed(licence)] == []


@pytest.mark.parametrize(
    ("licence", "refused"),
    [
        ("MIT AND PSF-2.0", []),
        ("GPL-3.0-only OR MIT", []),
        ("MIT AND GPL-3.0-only", ["GPL-3.0-only"]),
        ("UNKNOWN", ["UNKNOWN"]),
    ],
)
def test_a_licence_with_conditions_is_refused(licence: str, refused: list[str]) -> None:
    assert licences.not_allowed(licence) == refused
