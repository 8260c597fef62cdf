"""Builds the sdist and the wheel twice, and compares them byte for byte.

build_packages.py FOLDER: the packages are written to the folder. Their files have the time `SOURCE_DATE_EPOCH`, by
default that of the last commit. The build uses no network.
"""

import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
# What differs between machines, and must not be seen in a package.
_SURROUNDINGS = (
    {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1", "umask": "022"},
    {"TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2", "umask": "077"},
)


def main(folder: Path) -> None:
    """Build the packages into the folder; end with status 1 if two builds differ."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or _output("git", "log", "-1", "--format=%ct")
    with TemporaryDirectory() as scratch:
        one, other = (_build(Path(scratch) / str(number), epoch, each) for number, each in enumerate(_SURROUNDINGS))
        names = sorted(file.name for file in one.iterdir())
        _, different, missing = filecmp.cmpfiles(one, other, names, shallow=False)
        if different or missing or not _wheel_of_sdist_is_equal(one, Path(scratch), epoch):
            sys.exit(f"Two builds differ: {', '.join(different + missing) or 'the wheel of the sdist'}.")
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(one / name, folder / name)
            print(f"{folder / name}: two builds are equal")


def _build(work: Path, epoch: str, surroundings: dict[str, str]) -> Path:
    """Build from a copy of the tracked files, and return the folder of the packages."""
    for name in _output("git", "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (work / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, work / "tree" / name)
    _hatch(work / "tree", work / "dist", epoch, surroundings)
    return work / "dist"


def _wheel_of_sdist_is_equal(packages: Path, scratch: Path, epoch: str) -> bool:
    """Return whether the wheel that is built from the sdist, as by an installer, is the wheel."""
    (sdist,), (wheel,) = packages.glob("*.tar.gz"), packages.glob("*.whl")
    shutil.unpack_archive(sdist, scratch / "sdist", filter="data")
    _hatch(scratch / "sdist" / sdist.name.removesuffix(".tar.gz"), scratch / "again", epoch, {}, "wheel")
    return filecmp.cmp(wheel, scratch / "again" / wheel.name, shallow=False)


def _hatch(tree: Path, into: Path, epoch: str, surroundings: dict[str, str], *targets: str) -> None:
    chosen = [word for target in targets or ("sdist", "wheel") for word in ("--target", target)]
    environment = os.environ | surroundings | {"SOURCE_DATE_EPOCH": epoch}
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(into), *chosen]
    umask = int(surroundings.get("umask", "022"), 8)
    built = subprocess.run(command, cwd=tree, env=environment, umask=umask, capture_output=True, text=True, check=False)
    if built.returncode:
        sys.exit(f"The packages cannot be built: {built.stderr}")


def _output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
