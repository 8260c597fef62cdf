"""The script of docs/how-to/write-a-broker.md is short. `test_blocks.py` runs it."""

from support.pages.blocks import ROOT, read_blocks

PAGE = ROOT / "docs" / "how-to" / "write-a-broker.md"
MOST_LINES = 30


def test_the_script_has_thirty_lines_at_most() -> None:
    (script,) = [block.text for block in read_blocks(PAGE) if block.language == "python"]
    assert len([line for line in script.splitlines() if line.strip()]) <= MOST_LINES
