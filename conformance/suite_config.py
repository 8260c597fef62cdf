"""Print the Test Suite's configuration for one profile: `NODE_CONFIG="$(python conformance/suite_config.py no-auth)"`.

A profile is what all have in common, the way callers are known, and what is its own, each on top of the one before.
"""

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


def merged(below: Any, above: Any) -> Any:
    """Two values as one; of two that are no objects, the one above."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {name: merged(below.get(name), value) for name, value in above.items()}


def layer(name: str) -> dict[str, Any]:
    """What is in a file; nothing where there is none, because the profile adds nothing."""
    path = _FOLDER / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def access(profile: str) -> Any:
    """How callers are known; by tokens they are by default, which needs no configuration."""
    return tomllib.loads((_FOLDER / f"{profile}.toml").read_text(encoding="utf-8"))["access"]


def main() -> None:
    """Merge and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile")
    parser.add_argument("--random", action="store_true", help="opportunities are found in the feeds, not made")
    arguments = parser.parse_args()
    config = merged(layer("suite.json"), layer(f"{access(arguments.profile)}.suite.json"))
    config = merged(config, layer(f"{arguments.profile}.suite.json"))
    config["integrationTests"]["useRandomOpportunities"] = arguments.random
    print(json.dumps(config))


if __name__ == "__main__":
    main()
