"""JSON-LD in pages of HTML, however the pages are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbooking.openactive.json_ld_scripts import json_ld_scripts

BEGIN = '<script type="application/ld+json">'
LENGTH = 400_000


@pytest.mark.parametrize(
    ("page", "scripts"),
    [
        (f"<p>{BEGIN}{{}}</script><p>{BEGIN}[]</SCRIPT >", ["{}", "[]"]),
        ("<script\nid=1 TYPE=application/ld+json>{}</script>", ["{}"]),
        ("<SCRIPT data-type='text' type = 'Application/LD+JSON; charset=utf-8' async>{}</script>", ["{}"]),
        ("<script type='application/ld&#43;json'>{}</script>", ["{}"]),
        ("<script id='a>b' type='application/ld+json'>{}</script>", ["{}"]),
        ("<script id=\"1\"type='application/ld+json'>{}</script>", ["{}"]),
        (f"{BEGIN}&quot;<!-- </scripts> <b>", ["&quot;<!-- </scripts> <b>"]),
        (f"<script>let a = '{BEGIN}'</script>{BEGIN}{{}}</script>", ["{}"]),
        (f"<!-- {BEGIN}1</script> -->{BEGIN}{{}}</script><!-->{BEGIN}[]</script>", ["{}", "[]"]),
        (f"<p title=don't>{BEGIN}{{}}</script>", ["{}"]),
        ("<script>{}</script><script type=text/plain>{}</script><scripts type=application/ld+json>{}</script>", []),
        (f"<!-- {BEGIN}{{}}</script>", []),
        ("<script type='application/ld+json'", []),
        ("<script type='application/ld+json>{}</script>", []),
    ],
)
def test_scripts_of_json_ld_are_found(page: str, scripts: list[str]) -> None:
    assert list(json_ld_scripts(page)) == scripts


@pytest.mark.parametrize("begin", ["", BEGIN, "<script ", "<script type=", "<!--", '<script type="'])
@pytest.mark.parametrize(
    "part",
    ["<a ", "<!--", "<![CDATA[", "</", "<?", "<script ", "<script a='", "</script ", "<script>", "-->", "= ", " "],
)
def test_a_page_is_read_in_a_time_that_grows_with_its_length(begin: str, part: str) -> None:
    # `html.parser` takes hours for some of these pages, so that this test would not end.
    assert sum(map(len, json_ld_scripts(begin + part * (LENGTH // len(part))))) <= LENGTH


@given(st.text(max_size=60), st.text("{}[]<>/!-='\" ", max_size=30))
def test_a_script_is_found_whatever_stands_before_it(before: str, script: str) -> None:
    is_open = "<!--" in before or "<script" in before.lower()
    found = list(json_ld_scripts(f"{before}{BEGIN}{script}</script>"))
    assert is_open or found == [script]
