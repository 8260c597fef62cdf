"""The checker of the links to other hosts finds links, and tells the broken ones."""

from pathlib import Path

import pytest

from docs_site.external_links import broken_links, external_links
from docs_site.pages import find_pages
from support.docs_site.building import serve_folder


def test_links_to_other_hosts_are_found_with_their_pages() -> None:
    texts = {
        "b.md": "[x](https://x.example/a#b) <https://y.example/>",
        "a.md": "[x](https://x.example/a) [z](z.md) [l](http://127.0.0.1:8000/)",
    }
    assert external_links(texts) == {"https://x.example/a": ["a.md", "b.md"], "https://y.example/": ["b.md"]}


def test_the_documentation_links_to_other_hosts() -> None:
    assert "https://openactive.io/open-booking-api/EditorsDraft/" in external_links(find_pages())


def test_links_that_no_host_answers_are_broken(tmp_path: Path) -> None:
    (tmp_path / "there.html").write_text("here", encoding="utf-8")
    with serve_folder(tmp_path) as root:
        found = broken_links([f"{root}there.html", f"{root}gone.html"])
    assert found == {f"{root}gone.html": "404 Not Found"}


@pytest.mark.parametrize("link", ["http://127.0.0.1:1/", "http://[broken"])
def test_addresses_without_a_host_are_broken(link: str) -> None:
    assert list(broken_links([link])) == [link]
