"""Build the documentation site.

zensical makes the site of all pages of docs/, of the top folder, and of the READMEs to which they link. The navigation
has the roles of docs/README.md, and in each role the kinds of pages. A page belongs to each role whose list names it.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs_site import pages
from docs_site.pages import FRONT_PAGE, ROOT, address

_HERE = Path(__file__).parent
_KINDS = {
    "tutorial": ("Tutorials", "A tutorial leads you step by step to a first success."),
    "how-to": ("How-to guides", "A how-to guide is the list of steps of one task."),
    "reference": ("Reference", "A reference page lists all facts about one thing, for looking them up."),
    "explanation": ("Explanation", "A page of explanation describes how something works, and why."),
    "adr": ("Decisions", "An ADR records a decision that is hard to reverse, with its reasons."),
    "project": ("The project", "These pages are about this repository and its examples."),
}
# The theme would load these programs from other hosts for diagrams, galleries and editors, of which the site has none.
_OTHER_HOSTS = re.compile(r"https://(?:unpkg\.com|cdn\.jsdelivr\.net|api\.github\.com)/")


class SiteError(Exception):
    """zensical has failed; the message is its output."""


def navigation(texts: dict[str, str]) -> list[dict[str, Any]]:
    """Return the navigation: the front page, a section for each role, and a section of all pages by kind."""
    named = {role: [page for page in listed if page in texts] for role, listed in _roles(texts[FRONT_PAGE])}
    roles = [{role: _by_kind(listed, texts)} for role, listed in named.items()]
    kinds: list[dict[str, Any]] = [{name: f"kinds/{kind}.md"} for kind, (name, _) in _KINDS.items()]
    return [{"Start": "index.md"}, *roles, {"All pages by kind": kinds}]


def _roles(front_page: str) -> Iterator[tuple[str, list[str]]]:
    for section in re.split(r"^## ", front_page, flags=re.MULTILINE)[1:]:
        role, _, text = section.partition("\n")
        yield role, list(dict.fromkeys(path for _, path in pages.targets(FRONT_PAGE, text)))


def _by_kind(listed: list[str], texts: dict[str, str]) -> list[dict[str, Any]]:
    groups = ((name, [page for page in listed if pages.kind(page) == kind]) for kind, (name, _) in _KINDS.items())
    return [{name: [{pages.title(texts[page]): address(page)} for page in group]} for name, group in groups if group]


def page_of_kind(kind: str, texts: dict[str, str]) -> str:
    """Return a page that lists all pages of a kind."""
    name, meaning = _KINDS[kind]
    described = pages.descriptions(texts[FRONT_PAGE])
    listed = [
        page for page in dict.fromkeys([*described, *sorted(texts)]) if page in texts and pages.kind(page) == kind
    ]
    lines = (f"- [{pages.title(texts[page])}](../{address(page)}){_after(described.get(page))}" for page in listed)
    return "\n".join([f"# {name}", "", meaning, "", *lines, ""])


def _after(description: str | None) -> str:
    """Return a description as it follows a link in a list. Its own links lead nowhere here, so their texts stay."""
    return ": " + re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", description) if description else ""


def write_source(folder: Path) -> None:
    """Write the pages and settings for zensical.

    Args:
        folder: An empty folder.
    """
    texts = pages.find_pages()
    source = folder / "pages"
    shutil.copytree(ROOT / "docs", source, ignore=shutil.ignore_patterns("*.md"))
    for page, text in texts.items():
        _write(source / address(page), pages.rewrite(page, text, texts))
        for _, path in pages.targets(page, text):
            if not path.endswith(".md") and not path.startswith("docs/"):
                _copy(ROOT / path, source / address(path))
    for kind in _KINDS:
        _write(source / "kinds" / f"{kind}.md", page_of_kind(kind, texts))
    for asset in ("iframe-worker.js", "site.css", "site.js"):
        _copy(_HERE / asset, source / "assets" / asset)
    settings = (_HERE / "zensical.toml").read_text(encoding="utf-8")
    _write(folder / "zensical.toml", settings.replace("nav = []", f"nav = {_toml(navigation(texts))}"))


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _toml(value: Any) -> str:
    """Return a value as TOML. Texts of JSON are texts of TOML."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)} = {_toml(each)}' for key, each in value.items())}}}"
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list) else json.dumps(value)


def build(to: Path) -> None:
    """Build the site.

    Args:
        to: The folder of the site, which is replaced.

    Raises:
        BrokenLinkError: A page links to a file that does not exist.
        SiteError: zensical has failed, or has warned.
    """
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_source(folder)
        command = [str(Path(sys.executable).with_name("zensical")), "build", "--clean", "--strict"]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
        if done.returncode:
            raise SiteError(done.stdout + done.stderr)
        for script in (folder / "site" / "assets").rglob("*.js"):
            _write(script, _OTHER_HOSTS.sub("/not-loaded/", script.read_text(encoding="utf-8")))
        # Its links begin at the root of a server, so they lead nowhere in a file or in a folder of a server.
        (folder / "site" / "404.html").unlink()
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(folder / "site", to)
