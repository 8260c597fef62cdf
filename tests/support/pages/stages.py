"""The surroundings in which the blocks of a page run.

A page names its stage in a comment. Without a name the reader begins in an empty folder, as the tutorials do.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from openbooking.broker import Charge
from openbooking.sandbox.client import Sandbox
from support.pages import centre
from support.pages.blocks import ROOT
from support.pages.dates import shift_dates
from support.pages.terminal import Terminal, terminal
from support.servers.demo import Demo

FOLDER = "folder"
# The addresses that the pages name.
_ADDRESS = "127.0.0.1:8000"
_SANDBOX_ADDRESS = "127.0.0.1:8123"
_KEY = "obk_…"
_SESSION = r"early-lanes\.\d{8}T\d{4}Z"


class Hooks:
    """Hooks of payment that note what is captured."""

    def __init__(self) -> None:
        self.captured: list[Charge] = []

    def authorise(self, charge: Charge) -> str:
        """Return an id."""
        return f"payment-{charge.payment}"

    def capture(self, charge: Charge) -> None:
        """Note the charge."""
        self.captured.append(charge)

    def void(self, charge: Charge) -> None:
        """Do nothing."""

    def refund(self, charge: Charge) -> None:
        """Do nothing."""


class Stage(NamedTuple):
    """The surroundings of a page.

    Attributes:
        terminal: The terminal of the reader.
        is_served: Whether the server of the page runs already.
        replaced: Texts that the reader replaces, such as an API key, and by what.
        names: The names that the Python code of the page takes from its context.
    """

    terminal: Terminal
    is_served: bool
    replaced: Mapping[str, str]
    names: dict[str, Any]

    def as_typed(self, text: str) -> str:
        """Return a text of the page as the reader types it."""
        text = shift_dates(text)
        for written, typed in self.replaced.items():
            text = re.sub(written, typed, text)
        return text


@contextmanager
def in_folder(folder: Path, page: Path) -> Iterator[Stage]:
    """Begin with an empty folder, or with a copy of the folder of an example."""
    if page.is_relative_to(ROOT / "examples"):
        shutil.copytree(page.parent, folder, dirs_exist_ok=True)
    with terminal(folder) as opened:
        yield Stage(opened, is_served=False, replaced={_ADDRESS: opened.address}, names={})


@contextmanager
def beside_demo(folder: Path, demo: Demo) -> Iterator[Stage]:
    """Begin with a running demo."""
    key = demo.found(r"^key=(.*)$")
    replaced = {
        _ADDRESS: demo.site.removeprefix("http://"),
        _KEY: key,
        _SESSION: demo.found(f"({_SESSION})"),
    }
    settings = {"OPENBOOKING_DATABASE": str(demo.database), "OPENBOOKING_SITE_URL": demo.site}
    with terminal(folder, settings) as opened:
        names = {"site": f"{demo.site}/openactive", "key": key, "hooks": Hooks()}
        yield Stage(opened, is_served=True, replaced=replaced, names=names)


@contextmanager
def beside_sandbox(folder: Path, sandbox: Sandbox) -> Iterator[Stage]:
    """Begin with a running sandbox, in which nothing has happened."""
    sandbox.reset()
    with terminal(folder) as opened:
        replaced = {
            _SANDBOX_ADDRESS: sandbox.url.removeprefix("http://"),
            _ADDRESS: opened.address,
            _KEY: sandbox.api_key,
        }
        names = {"site": sandbox.url, "key": sandbox.api_key, "hooks": Hooks()}
        yield Stage(opened, is_served=True, replaced=replaced, names=names)


@contextmanager
def beside_provider(folder: Path, demo: Demo) -> Iterator[Stage]:
    """Begin with an empty folder. The demo is the provider whose feeds are imported."""
    replaced = {
        "https://provider.example.com/feeds/sessions": f"{demo.site}/feeds/session-series",
        "https://provider.example.com": demo.site,
    }
    with terminal(folder) as opened:
        yield Stage(opened, is_served=False, replaced={_ADDRESS: opened.address, **replaced}, names={})


@contextmanager
def in_centre(folder: Path, made: Path) -> Iterator[Stage]:
    """Begin with the database and the timetable of a leisure centre."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    with terminal(folder, centre.SETTINGS) as opened:
        yield Stage(opened, is_served=False, replaced={"/backups/": "backups/"}, names={})
