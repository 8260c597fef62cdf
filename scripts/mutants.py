"""Mutate `booking/` and list the mutants that `tests/booking` does not kill: `python scripts/mutants.py`.

mutmut changes one expression at a time in a copy of the tree, `mutants/`, and runs the tests that reach it. The file
`tests/booking/equivalent_mutants.toml` names the mutants that change no behaviour, each with its reason. The exit
status is 1 if fewer than 95 % of the others are killed, or if a named mutant does not exist any more.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
EQUIVALENT = ROOT / "tests" / "booking" / "equivalent_mutants.toml"
AIM = 0.95
_MUTMUT = Path(sys.executable).with_name("mutmut")
_SURVIVED = frozenset({"survived", "no tests", "suspicious"})


class Mutant(NamedTuple):
    """A change of one function: its name, and the lines that are removed and added."""

    function: str
    before: str
    after: str


def main() -> None:
    """Run mutmut, and print what has survived."""
    subprocess.run([_MUTMUT, "run", "--max-children", str(os.cpu_count() or 1)], cwd=ROOT, check=True)
    states = _states()
    survivors = {_mutant(name) for name, state in states.items() if state in _SURVIVED}
    reasons = _equivalent()
    known = survivors & reasons.keys()
    for mutant in sorted(survivors - known):
        print(f"{mutant.function}\n  - {mutant.before}\n  + {mutant.after}")
    for mutant in sorted(reasons.keys() - known):
        print(f"{EQUIVALENT.name} names a mutant that is killed, or is not made: {mutant}")
    killed = len(states) - len(survivors)
    share = killed / (len(states) - len(known))
    print(f"{len(states)} mutants, {len(known)} of them equivalent; {killed} killed: {share:.1%}")
    sys.exit(share < AIM or known != reasons.keys())


def _states() -> dict[str, str]:
    """The state of every mutant, by its name."""
    lines = _output("results", "--all", "true").splitlines()
    return {name.strip(): state.strip() for name, _, state in (line.partition(": ") for line in lines) if state}


def _mutant(name: str) -> Mutant:
    lines = _output("show", name).splitlines()
    changed = [line for line in lines if line[:1] in {"-", "+"} and line[:3] not in {"---", "+++"}]
    before, after = (" ".join(line[1:].strip() for line in changed if line.startswith(sign)) for sign in ("-", "+"))
    return Mutant(name.rpartition("__mutmut_")[0].removeprefix("openbooking.booking."), before, after)


def _equivalent() -> dict[Mutant, str]:
    """The mutants that change no behaviour, with the reasons."""
    tables = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["mutant"]
    return {Mutant(table["function"], table["before"], table["after"]): table["reason"] for table in tables}


def _output(*arguments: str) -> str:
    result = subprocess.run([_MUTMUT, *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return result.stdout


if __name__ == "__main__":
    main()
