"""OpenActive's validators, as a helper for tests.

They are npm packages. One node process serves a whole test session; see `tests/validators/validate.mjs`.
"""

import atexit
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

VALIDATORS = Path(__file__).parents[1] / "validators"
_COPIES = Path("shared") / "testsuite" / "validator-cache"
VOCABULARIES = next((above / _COPIES for above in VALIDATORS.parents if (above / _COPIES).is_dir()), _COPIES)


class Validator:
    """Checks documents with the data model validator, and feeds with the RPDE validator.

    The data model validator reads vocabularies (activity list, facility types, contexts) by their URL. Copies in a
    folder beside this repository, or above it, are used if they exist; otherwise the validator fetches the vocabularies
    from the network.
    """

    def __init__(self, vocabularies: Path = VOCABULARIES) -> None:
        if not (VALIDATORS / "node_modules").is_dir():
            message = "The validators are not installed: run `make test`, or `npm ci` in tests/validators."
            raise RuntimeError(message)
        self._cache = tempfile.TemporaryDirectory(prefix="openbooking-vocabularies-")
        for copy in vocabularies.glob("*.json"):
            shutil.copyfile(copy, Path(self._cache.name) / copy.name)
        self._process = subprocess.Popen(
            ["node", "validate.mjs", self._cache.name],
            cwd=VALIDATORS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def close(self) -> None:
        """End the node process and remove its files."""
        self._process.communicate()
        self._cache.cleanup()

    def failures(self, mode: str, document: object) -> list[str]:
        """Return the faults of a document, as `path: message`, in a validation mode such as `C1Response`."""
        return self._ask({"mode": mode, "data": document})

    def rpde_failures(self, url: str) -> list[str]:
        """Follow an open feed from the URL of its first page to its end, and return its faults."""
        return self._ask({"rpde": {"url": url}})

    def rpde_page_failures(
        self,
        url: str,
        body: object,
        *,
        headers: Mapping[str, str],
        status: int = 200,
        feed: str | None = None,
        orders: bool = False,
    ) -> list[str]:
        """Return the faults of one page that was already fetched.

        Pages with the same `feed` name are checked as pages of one feed, including their order and repeated items.
        `orders` is true for the Orders feed and the Order Proposals feed, which are not open.
        """
        page = {"url": url, "body": body, "headers": dict(headers), "status": status, "feed": feed, "orders": orders}
        return self._ask({"rpde": page})

    def _ask(self, request: object) -> list[str]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("The validators were started without pipes.")
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            message = f"The validators ended with exit code {self._process.wait()}."
            raise RuntimeError(message)
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        found: Iterable[dict[str, str]] = reply["failures"]
        return [f"{failure['path']}: {failure['message']}" for failure in found]


@cache
def running_validator() -> Validator:
    """Return the validator of this process, which ends with the process."""
    running = Validator()
    atexit.register(running.close)
    return running
