"""Print the Test Suite's configuration for one profile: `NODE_CONFIG="$(python conformance/suite_config.py no-auth)"`.

The configuration has three layers, each of which overrides the one before: the common one, the one for the way in which
callers are identified, and the one of the profile.

`--certificate URL` lets the suite also make a conformance certificate, which is valid at this URL only. `--folder`
names the folder of the certificate.
"""

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


def merged(below: Any, above: Any) -> Any:
    """Return the two JSON values merged. `above` wins unless both are objects."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {name: merged(below.get(name), value) for name, value in above.items()}


def layer(name: str) -> dict[str, Any]:
    """Return the content of a file of this folder, or an empty object if the file does not exist."""
    path = _FOLDER / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def access(profile: str) -> Any:
    """Return the `access` setting of a profile. The suite needs no layer for access tokens, its default."""
    return tomllib.loads((_FOLDER / f"{profile}.toml").read_text(encoding="utf-8"))["access"]


def main() -> None:
    """Print the merged configuration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile")
    parser.add_argument("--random", action="store_true", help="opportunities are found in the feeds, not made")
    parser.add_argument("--certificate", metavar="URL", default="", help="where the certificate will be served")
    parser.add_argument("--folder", default="./conformance/", help="the folder of the certificate; / at its end")
    arguments = parser.parse_args()
    config = merged(layer("suite.json"), layer(f"{access(arguments.profile)}.suite.json"))
    config = merged(config, layer(f"{arguments.profile}.suite.json"))
    config["integrationTests"]["useRandomOpportunities"] = arguments.random
    if arguments.certificate:
        config["integrationTests"] |= {
            "generateConformanceCertificate": True,
            "conformanceCertificateId": arguments.certificate,
            "conformanceCertificatePath": arguments.folder,
        }
    print(json.dumps(config))


if __name__ == "__main__":
    main()
