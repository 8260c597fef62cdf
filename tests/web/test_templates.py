"""The templates of the pages."""

import re
from pathlib import Path

import pytest

import openbooking.web

TEMPLATES = Path(openbooking.web.__file__).parent / "templates"
# The line break after a block tag is removed, so a text that goes on in the next line is joined to the word before.
JOINED_WORDS = re.compile(
    r"(?:[\w.,:)}]|</(?:a|b|code|em|span|strong)>)\{% (?:endif|endfor|else) %\}\n"
    r"(?:\{% (?:if|for|elif|else)[^\n]*? %\})?(?:\w|\{\{|<(?:a|b|code|em|span|strong)\b)"
)


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_no_template_joins_words_across_a_line_break(template: Path) -> None:
    assert JOINED_WORDS.findall(template.read_text(encoding="utf-8")) == []
