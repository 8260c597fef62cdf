"""Reads the built pages of the documentation site."""

from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

_COUNTED = frozenset({"pre", "code", "li", "ol", "ul", "table", "tr", "h1", "h2", "h3", "h4", "img", "blockquote"})
# The elements whose addresses the browser loads by itself.
_LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


class HtmlPage(HTMLParser):
    """A page: the ids, links and loaded addresses in it, and the elements of its article.

    Args:
        text: The HTML.
        is_article: Whether all of the text is the article.
    """

    def __init__(self, text: str, *, is_article: bool = False) -> None:
        super().__init__()
        self.ids, self.links, self.loaded = set[str](), set[str](), set[str]()
        self.elements: Counter[str] = Counter()
        self._in_article = self._is_article = is_article
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        named = {name: value or "" for name, value in attrs}
        if "id" in named:
            self.ids.add(named["id"])
        self.links |= {named[name] for name in ("href", "src") if name in named}
        if tag in _LOADING and _LOADING[tag] in named:
            self.loaded.add(named[_LOADING[tag]])
        if self._in_article and tag in _COUNTED:
            self.elements[tag] += 1
        if tag == "article":
            self._in_article = True

    def handle_endtag(self, tag: str) -> None:
        """Note the end of the article."""
        if tag == "article":
            self._in_article = self._is_article


def read_html(file: Path) -> HtmlPage:
    """Return a built page."""
    return HtmlPage(file.read_text(encoding="utf-8"))
