"""Write the data files of OpenActive's vocabularies from their JSON-LD files, which are the arguments."""

import json
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "src" / "openbooking" / "timetable" / "vocabularies"
HEADER = """\
# {title}: {id}
# Licence: Creative Commons Attribution 4.0, {licence}. Only ids and labels are kept.
# Written by scripts/vocabularies.py: id, label, and alternative labels with | between them; a tab between the columns.
"""


def main() -> None:
    """Write a file for each vocabulary."""
    for source in sys.argv[1:]:
        vocabulary = json.loads(Path(source).read_text(encoding="utf-8"))
        header = HEADER.format(title=vocabulary["title"], id=vocabulary["id"], licence=vocabulary["license"])
        lines = [
            "\t".join((concept["identifier"], concept["prefLabel"], "|".join(concept.get("altLabel", ())))).rstrip("\t")
            for concept in sorted(vocabulary["concept"], key=lambda concept: concept["prefLabel"].casefold())
        ]
        name = vocabulary["id"].rpartition("/")[2]
        (FOLDER / f"{name}.tsv").write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
        print(f"{name}: {len(lines)} concepts")


main()
