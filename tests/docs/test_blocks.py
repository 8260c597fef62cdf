"""The commands and the code on the pages run as their readers run them."""

import tomllib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from support.browsers.tutorial import FIRST_BOOKING, FIRST_CLUB
from support.pages.blocks import ROOT, Block, name_of, pages, read_blocks
from support.pages.centre import make_centre
from support.pages.commands import command_faults
from support.pages.reading import Reader, sections
from support.pages.stages import (
    FOLDER,
    Stage,
    beside_demo,
    beside_provider,
    beside_sandbox,
    in_centre,
    in_folder,
)

MOST_NOT_RUN = 10
NOT_RUN = tomllib.loads(Path(__file__).with_name("not_run.toml").read_text(encoding="utf-8")).get("block", [])
BLOCKS = {name_of(page): read_blocks(page) for page in pages()}
# Tests of browsers read these pages, because their steps are on pages of the system, too.
IN_BROWSER = {name_of(page) for page in (FIRST_BOOKING, FIRST_CLUB)}
RUN = [page for page, blocks in BLOCKS.items() if any(block.language for block in blocks) and page not in IN_BROWSER]
TESTS = [(name, block.text.strip()) for name, blocks in BLOCKS.items() for block in blocks if block.language == "test"]

Open = Callable[[str, str], AbstractContextManager[Stage]]


def is_run(block: Block) -> bool:
    return not any((each["page"], each["first_line"]) == (block.page, block.first_line) for each in NOT_RUN)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the leisure centre of the how-to pages."""
    return make_centre(tmp_path_factory.mktemp("centre"))


@pytest.fixture
def open_stage(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Open a stage by its name. What a stage needs is made when the first page needs it."""
    needs = request.getfixturevalue
    stages: dict[str, Callable[[Path, Path], AbstractContextManager[Stage]]] = {
        FOLDER: in_folder,
        "centre": lambda folder, _: in_centre(folder, needs("centre")),
        "demo": lambda folder, _: beside_demo(folder, needs("demo")),
        "provider": lambda folder, _: beside_provider(folder, needs("demo")),
        "sandbox": lambda folder, _: beside_sandbox(folder, needs("openbooking_sandbox_process")),
    }

    def opened(name: str, page: str) -> AbstractContextManager[Stage]:
        folder = tmp_path / f"reader-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return stages[name](folder, ROOT / page)

    return opened


@pytest.mark.parametrize("page", RUN)
def test_the_blocks_of_a_page_run(page: str, open_stage: Open) -> None:
    for name, blocks in sections(filter(is_run, BLOCKS[page])):
        if blocks:
            with open_stage(name, page) as stage:
                reader = Reader(stage)
                for block in blocks:
                    reader.read(block)


@pytest.mark.parametrize("page", BLOCKS)
def test_the_commands_of_a_page_have_the_options_that_it_names(page: str) -> None:
    assert command_faults(ROOT / page) == []


def test_unknown_commands_options_and_targets_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("`make nonsense`\n\n```sh\nA=b openbooking partner show --frist | openbooking partners\n```\n")
    assert command_faults(page) == [
        "openbooking partner show --frist: no option --frist",
        "openbooking partners: no command partners",
        "make nonsense: no target nonsense",
    ]


@pytest.mark.parametrize(("page", "file"), TESTS)
def test_the_test_that_runs_a_block_exists(page: str, file: str) -> None:
    assert Path(page).stem in (ROOT / file).read_text(encoding="utf-8")


def test_at_most_ten_blocks_are_not_run_and_each_has_a_reason() -> None:
    listed = [(each["page"], each["first_line"]) for each in NOT_RUN]
    known = {(block.page, block.first_line) for blocks in BLOCKS.values() for block in blocks}
    assert len(listed) <= MOST_NOT_RUN
    assert set(listed) <= known
    assert len(set(listed)) == len(listed)
    assert all(len(each["reason"].split()) > 3 for each in NOT_RUN)
