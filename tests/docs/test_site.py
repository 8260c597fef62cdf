"""The documentation site: its links and headings exist, it loads nothing from other hosts, and roles lead to pages."""

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

from docs_site import pages
from docs_site.build import navigation
from support.docs_site.building import build_site
from support.docs_site.html_pages import HtmlPage, read_html

ROLES = ["Operators", "Brokers' developers", "Vendors", "Engineers"]
# Namespaces, and the licence of the icons in a comment. Nothing is loaded from these.
NAMED_ONLY = {"www.w3.org", "fontawesome.com"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    return build_site(tmp_path_factory.mktemp("docs") / "site")


@pytest.fixture(scope="module")
def built(site: Path) -> dict[Path, HtmlPage]:
    """The built pages by file."""
    return {file.resolve(): read_html(file) for file in site.rglob("*.html")}


def test_site_has_every_page(site: Path) -> None:
    files = {file.relative_to(site).with_suffix(".md").as_posix() for file in site.rglob("*.html")}
    of_repository = {pages.address(page) for page in pages.find_pages()}
    assert of_repository <= files
    assert all(extra.startswith("kinds/") for extra in files - of_repository)


def test_links_of_the_site_lead_to_files_and_headings(built: dict[Path, HtmlPage]) -> None:
    broken = set()
    for file, page in built.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            there = built.get(target)
            if not target.exists() or (parts.fragment and there and unquote(parts.fragment) not in there.ids):
                broken.add((file.name, link))
    assert broken == set()


def test_site_loads_nothing_from_other_hosts(site: Path, built: dict[Path, HtmlPage]) -> None:
    assert {url for page in built.values() for url in page.loaded if urlsplit(url).netloc} == set()
    for file in [*site.rglob("*.css"), *site.rglob("*.js")]:
        # The index of the search is text of the pages.
        if file.name != "search.js":
            hosts = set(re.findall(r"https?://([\w.-]+)", file.read_text(encoding="utf-8")))
            assert hosts - NAMED_ONLY == set(), file.name


def test_pages_of_the_site_have_the_structure_of_their_source(site: Path) -> None:
    """GitHub and the site read lists, tables and code blocks in the same way."""
    markdown = MarkdownIt("commonmark").enable("table")
    for page, text in pages.find_pages().items():
        expected = HtmlPage(markdown.render(text), is_article=True)
        found = read_html((site / pages.address(page)).with_suffix(".html"))
        assert found.elements == expected.elements, page


def test_navigation_has_each_role_with_its_kinds_of_pages() -> None:
    start, *roles, kinds = navigation(pages.find_pages())
    assert start == {"Start": "index.md"}
    assert [name for role in roles for name in role] == ROLES
    for role in roles:
        for groups in role.values():
            assert {"How-to guides", "Reference"} <= {name for group in groups for name in group}, role
    assert [name for kind in kinds["All pages by kind"] for name in kind] == [
        "Tutorials",
        "How-to guides",
        "Reference",
        "Explanation",
        "Decisions",
        "The project",
    ]


def test_navigation_leads_to_every_page(site: Path, built: dict[Path, HtmlPage]) -> None:
    linked = {(site / urlsplit(link).path).resolve() for link in built[(site / "index.html").resolve()].links}
    assert set(built) - linked == set(), "docs/README.md lists these pages for no role"


def test_headings_of_a_page_skip_no_level() -> None:
    for page, text in pages.find_pages().items():
        prose = re.sub(r"^ *(```|~~~).*?^ *\1", "", text, flags=re.MULTILINE | re.DOTALL)
        levels = [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]
        assert levels[0] == 1, page
        assert all(after <= before + 1 for before, after in pairwise(levels)), page


@pytest.mark.parametrize("target", ["gone.md", "../../../elsewhere.md", "../tutorial"])
def test_link_to_a_missing_file_is_refused(target: str) -> None:
    with pytest.raises(pages.BrokenLinkError, match=re.escape("docs/how-to/import.md links to")):
        list(pages.targets("docs/how-to/import.md", f"See [this]({target})."))


def test_links_lead_to_the_addresses_of_the_site() -> None:
    text = (
        "[a](../README.md#operators) [b](../../CHANGELOG.md) [c](import.md) [d](../../LICENSE) [e](https://x.org/a.md)"
    )
    texts = dict.fromkeys(["docs/README.md", "CHANGELOG.md", "docs/how-to/import.md"], "")
    assert pages.rewrite("docs/how-to/upgrade.md", text, texts) == (
        "[a](../index.md#operators) [b](../project/changelog.md) [c](import.md) [d](../files/LICENSE.txt) "
        "[e](https://x.org/a.md)\n"
    )


def test_code_is_a_text_on_the_site_and_pictures_stay() -> None:
    assert pages.address("examples/own_store/store.py") == "files/examples/own_store/store.py.txt"
    assert pages.address("examples/own_store/store.png") == "files/examples/own_store/store.png"


def test_what_belongs_to_a_list_item_is_indented_by_four_spaces() -> None:
    text = "1. a\n   b\n\n   ```\n   - c\n   ```\n2. d\n   - e\n     f\n\ng\n"
    expected = "1. a\n    b\n\n    ```\n    - c\n    ```\n\n2. d\n    - e\n        f\n\ng\n"
    assert pages.rewrite("docs/how-to/import.md", text, {}) == expected


def test_descriptions_are_those_of_the_front_page() -> None:
    text = (
        "1. [A](how-to/import.md#x): feeds\n   and files.\n"
        "2. [B](../README.md) and [C](adr/0001-record-decisions.md): b.\n"
    )
    assert pages.descriptions(text) == {
        "docs/how-to/import.md": "feeds and files.",
        "README.md": "b.",
        "docs/adr/0001-record-decisions.md": "b.",
    }
