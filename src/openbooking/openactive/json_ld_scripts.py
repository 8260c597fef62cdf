"""Finds the JSON-LD that is embedded in pages of HTML, such as dataset sites.

The pages come from other systems. `html.parser` needs minutes for a page of 60 kB that begins a thousand tags and ends
none, so the scripts are found by expressions that look at each character a fixed number of times.
"""

import html
import re
from collections.abc import Iterator

_JSON_LD = "application/ld+json"
# The only things that matter: a script may stand in a comment, where it does not count.
_OPENING = re.compile(r"<!--|<script(?=[\s/>])", re.IGNORECASE)
_COMMENT_END = "-->"
_SCRIPT_END = re.compile(r"</script(?=[\s/>])", re.IGNORECASE)
# The attributes of a tag and its end. A quoted value begins after a `=`; a quote elsewhere is a character like others.
_ATTRIBUTES = re.compile(r"""((?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])))*+)>""")
_TYPE = re.compile(r"""(?:^|[\s/"'])type\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"']++))""", re.IGNORECASE)


def json_ld_scripts(page: str) -> Iterator[str]:
    """Yield the text of each script of JSON-LD in a page, as it stands there. A script may end with the page."""
    at = 0
    while opening := _OPENING.search(page, at):
        if opening[0] == "<!--":
            end = page.find(_COMMENT_END, opening.start() + 2)
            if end < 0:
                return
            at = end + len(_COMMENT_END)
            continue
        attributes = _ATTRIBUTES.match(page, opening.end())
        if not attributes:
            return
        closing = _SCRIPT_END.search(page, attributes.end())
        at = closing.end() if closing else len(page)
        if _is_json_ld(attributes[1]):
            yield page[attributes.end() : closing.start() if closing else len(page)]


def _is_json_ld(attributes: str) -> bool:
    found = _TYPE.search(attributes)
    type_ = html.unescape(next(filter(None, found.groups()), "")) if found else ""
    return type_.partition(";")[0].strip().lower() == _JSON_LD
