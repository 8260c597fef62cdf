"""axe, which finds the barriers of a page in a real browser."""

from pathlib import Path

from playwright.sync_api import Page

_AXE = Path(__file__).parents[2] / "validators" / "node_modules" / "axe-core" / "axe.min.js"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_LONGEST_HTML = 200
_LEAST_PASSES = 10
_RUN = "([parts, options]) => axe.run(parts ? {include: parts} : document, options)"


def barriers(page: Page, parts: list[str] | None = None) -> list[tuple[str, str]]:
    """Return the violations of WCAG 2.2 AA and of good practice on a page, as pairs of rule and HTML.

    Args:
        page: A page on which scripts run, whatever its Content-Security-Policy says.
        parts: The selectors of what is checked; None for the whole page.
    """
    page.add_script_tag(path=_AXE)
    options = {"runOnly": _TAGS, "resultTypes": ["violations"]}
    found = page.evaluate(_RUN, [parts, options])
    assert len(found["passes"]) > _LEAST_PASSES
    return [(rule["id"], node["html"][:_LONGEST_HTML]) for rule in found["violations"] for node in rule["nodes"]]
