"""The image: built by Buildah on a plain Debian, then run as a container with a read-only root directory."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.deployment.files import DEPLOY, ROOT
from support.deployment.proxies import LOCAL, free_port

BASE, IMAGE = "localhost/openbooking-base", "localhost/openbooking-tested"
USER = "10001"
# Makes a container: own processes, a read-only root directory, a folder for temporary files and one for the database.
CONTAINER = """
root=$1; data=$2; port=$3; shift 3
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o nosuid,size=64m tmpfs "$root/tmp"
mount --bind "$data" "$root/var/lib/openbooking"
mount -o remount,bind,ro "$root"
exec chroot --userspec=10001:10001 "$root" /usr/bin/env -i --chdir=/var/lib/openbooking \
    PATH=/opt/openbooking/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 \
    OPENBOOKING_HOST=0.0.0.0 OPENBOOKING_SITE_URL=https://booking.example.com OPENBOOKING_PORT="$port" \
    OPENBOOKING_METRICS_TOKEN=scrape-me OPENBOOKING_WORKERS=2 "$@"
"""


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


class Image:
    """The built image: its configuration, and its root directory."""

    def __init__(self, folder: Path) -> None:
        stored = ("--root", str(folder / "images"), "--runroot", str(folder / "run"))
        self._buildah = ("buildah", *stored)
        self._import_base(folder)
        context = folder / "context"
        (context / "dist").mkdir(parents=True)
        run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", context / "dist")
        (context / "requirements.txt").write_bytes((ROOT / "requirements.txt").read_bytes())
        wheels = folder / "wheels"
        pins = ROOT / "requirements.txt"
        run(sys.executable, "-m", "pip", "--quiet", "download", "--require-hashes", "-r", pins, "-d", wheels)
        # The build needs no network: pip finds the same files in a folder.
        offline = folder / "pip.conf"
        offline.write_text("[global]\nno-index = true\nfind-links = /wheels\n", encoding="utf-8")
        volumes = ("--volume", f"{wheels}:/wheels:ro", "--volume", f"{offline}:/etc/pip.conf:ro")
        options = ("--isolation", "chroot", "--format", "docker", "--build-arg", f"BASE={BASE}", "--tag", IMAGE)
        file = DEPLOY / "container/Containerfile"
        run(*self._buildah, "build", *options, *volumes, "--file", file, context)
        self.config: dict[str, Any] = json.loads(run(*self._buildah, "inspect", "--type", "image", IMAGE))["Docker"]
        container = run(*self._buildah, "from", "--pull-never", IMAGE)
        self.root = Path(run(*self._buildah, "mount", container))

    def _import_base(self, folder: Path) -> None:
        """Make an image with the Python of Debian, which stands in for the image that the Containerfile names."""
        root = folder / "base"
        run("debootstrap", "--variant=minbase", "--include=python3,python3-venv", "bookworm", root)
        container = run(*self._buildah, "from", "scratch")
        run(*self._buildah, "add", "--quiet", container, root, "/")
        run(*self._buildah, "commit", "--quiet", container, BASE)

    def start(self, data: Path, port: int, *command: str) -> subprocess.Popen[str]:
        """Start a container, as its first process the command of the image or another command."""
        words = command or (*self.config["config"]["Entrypoint"], *self.config["config"]["Cmd"])
        alone = ("unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "sh", "-euc", CONTAINER, "sh")
        arguments = (*alone, str(self.root), str(data), str(port), *words)
        return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """Yield the image, which is built once. Afterwards nothing stays mounted."""
    folder = tmp_path_factory.mktemp("image")
    try:
        yield Image(folder)
    finally:
        mounted = [line.split()[1] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
        for place in reversed([place for place in mounted if place.startswith(str(folder))]):
            run("umount", "--lazy", place)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the folder of the database, which belongs to the user of the container."""
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, int(USER), int(USER))
    return folder


@pytest.fixture
def served(image: Image, data: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Yield a container that serves with two workers, and its port."""
    port = free_port()
    with image.start(data, port) as process:
        try:
            while status(port, "/readyz") != 200:
                assert process.poll() is None, process.stderr and process.stderr.read()
                time.sleep(0.1)
            yield process, port
        finally:
            process.kill()


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://{LOCAL}:{port}{path}", timeout=5) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


def first_process(process: subprocess.Popen[str]) -> int:
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii"))


def test_the_image_runs_the_server_without_root(image: Image) -> None:
    config = image.config["config"]
    assert (config["User"], config["WorkingDir"]) == (f"{USER}:{USER}", "/var/lib/openbooking")
    assert [*config["Entrypoint"], *config["Cmd"]] == ["python3", "-m", "openbooking", "serve"]
    assert config["StopSignal"] == "SIGTERM"
    assert not list((image.root / "opt/openbooking").glob("lib/*/site-packages/pip"))


def test_the_root_directory_is_read_only_and_holds_nothing_of_the_user(image: Image, data: Path) -> None:
    command = "id -u; touch /written /opt/openbooking/written; touch /tmp/written here; find / -xdev -user 10001 -print"
    with image.start(data, 1, "sh", "-c", command) as process:
        told, errors = process.communicate(timeout=60)
    assert told.splitlines()[0] == USER
    assert errors.count("Read-only file system") == 2
    owned = [line for line in told.splitlines()[1:] if not line.startswith(("/proc", "/dev"))]
    assert owned == ["/var/lib/openbooking"]


def test_the_container_serves_and_stops_cleanly(served: tuple[subprocess.Popen[str], int], image: Image) -> None:
    process, port = served
    assert status(port, "/feeds/slots") == 200
    assert status(port, "/metrics") == 401
    _, *check = image.config["config"]["Healthcheck"]["Test"]
    checked = subprocess.run([sys.executable, *check[1:]], env={"OPENBOOKING_PORT": str(port)}, check=False)
    assert checked.returncode == 0
    os.kill(first_process(process), signal.SIGTERM)
    assert process.wait(60) == 0
    checked = subprocess.run(
        [sys.executable, *check[1:]], env={"OPENBOOKING_PORT": str(port)}, check=False, stderr=subprocess.DEVNULL
    )
    assert checked.returncode == 1


def test_a_container_that_is_still_starting_stops(image: Image, data: Path) -> None:
    with image.start(data, free_port()) as process:
        while not Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii"):
            time.sleep(0.01)
        first = first_process(process)
        # The bit of SIGTERM in the set of signals that the process handles.
        while not int(Path(f"/proc/{first}/status").read_text().partition("SigCgt:")[2].split()[0], 16) >> 14 & 1:
            time.sleep(0.01)
        os.kill(first, signal.SIGTERM)
        assert process.wait(60) in (0, 128 + signal.SIGTERM, 130)
