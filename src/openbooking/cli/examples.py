"""The examples that `--help` shows below the options of each command."""

from collections.abc import Iterable
from itertools import islice

import typer
from typer.main import get_command_name
from typer.models import CommandInfo

_PROGRAM = "openbooking"
# The number of commands of a group that the help of the group shows as examples.
_OF_GROUP = 3
# An example begins with the name of the program. A line that ends with a backslash continues on the next one, as shells
# do, so that no line is wider than a terminal.
_EXAMPLES = r"""
openbooking demo
openbooking demo --port 8123
openbooking demo --book
openbooking serve
openbooking serve --host 0.0.0.0 --port 8080 --workers 2
openbooking sandbox
openbooking sandbox --scenario cancelled.toml -- python my_broker.py
openbooking import https://provider.example.com/sessions --dry-run
openbooking import sessions.json --seller riverside
openbooking import https://provider.example.com/sessions --follow
openbooking import status
openbooking import-bookings bookings.csv --dry-run
openbooking import-bookings bookings.csv
openbooking migrate
openbooking migrate \
    --database postgresql://openbooking@db.example.com/openbooking
openbooking backup backup-2026-12-05.sqlite3
openbooking check
openbooking check --port 8080 --json
openbooking certificate index.html
openbooking openapi
openbooking openapi --schemas schemas
openbooking openapi --bruno requests
openbooking doctor
openbooking doctor --database openbooking.sqlite3
openbooking settings
openbooking settings | grep SMTP
openbooking sales
openbooking sales --by partner --from 2026-11-01 --to 2026-11-30 --csv
openbooking sales --by vat --from 2026-10-01 --to 2026-12-31
openbooking log
openbooking log --seller riverside --limit 20
openbooking order list --search Geoff
openbooking order list --session-from 2026-12-05 --session-to 2026-12-05
openbooking order list --partner acme --value-from 20 --csv
openbooking order show acme/e11429ea-467f-4270-ab62-e47368996fe8
openbooking order cancel acme/e11429ea-467f-4270-ab62-e47368996fe8 \
    --item 2 --message "The bike is broken."
openbooking order replace acme/e11429ea-467f-4270-ab62-e47368996fe8 \
    --day 2026-12-06
openbooking order replace acme/e11429ea-467f-4270-ab62-e47368996fe8 \
    --by scheduled-sessions/yoga-20261206
openbooking order notify acme/e11429ea-467f-4270-ab62-e47368996fe8 \
    --message "Bring a towel."
openbooking order notify acme/e11429ea-467f-4270-ab62-e47368996fe8 --remove
openbooking order attend acme/e11429ea-467f-4270-ab62-e47368996fe8
openbooking order attend acme/e11429ea-467f-4270-ab62-e47368996fe8 \
    --item 2 --absent
openbooking order pay acme/e11429ea-467f-4270-ab62-e47368996fe8 cash
openbooking order pay acme/e11429ea-467f-4270-ab62-e47368996fe8 card \
    --amount 12.50 --reference 000123
openbooking order renew acme/e11429ea-467f-4270-ab62-e47368996fe8 --item 1
openbooking proposal list
openbooking proposal list --search geoff@example.net
openbooking proposal accept acme/e11429ea-467f-4270-ab62-e47368996fe8 \
    --note "See you then."
openbooking proposal reject acme/e11429ea-467f-4270-ab62-e47368996fe8 \
    --note "The hall is being painted."
openbooking proposal amend acme/e11429ea-467f-4270-ab62-e47368996fe8 \
    --price 1=45.00
openbooking proposal amend acme/e11429ea-467f-4270-ab62-e47368996fe8 \
    --without 2
openbooking occurrence list
openbooking occurrence list --from 2026-12-05 --to 2026-12-06 --json
openbooking occurrence cancel scheduled-sessions/yoga-20261205 \
    --message "The instructor is ill."
openbooking occurrence notify scheduled-sessions/yoga-20261205 \
    --message "The class is in the small hall."
openbooking occurrence publish session-series/yoga
openbooking occurrence unpublish session-series/yoga
openbooking timetable apply centre.toml --dry-run
openbooking timetable apply venues.csv classes.csv --seller riverside
openbooking timetable export > centre.toml
openbooking timetable export --ics hall > hall.ics
openbooking timetable list
openbooking timetable list --csv
openbooking timetable show spin squash
openbooking timetable remove spin --dry-run
openbooking timetable remove spin --message "Spin has ended."
openbooking timetable close squash/1 --from "2026-12-05 18:00" \
    --to "2026-12-05 22:00" --name "Floor repair"
openbooking timetable week
openbooking timetable week --of 2026-12-05
openbooking timetable import-ics classes.ics --venue hall --capacity 20 \
    --price 6.50 --dry-run
openbooking feed verify
openbooking feed verify https://provider.example.com/sessions
openbooking feed republish
openbooking feed renumber
openbooking feed renumber --above 1780000000000
openbooking seller add riverside --name "Riverside Centre" \
    --legal-name "Riverside Leisure Ltd" --tax-mode gross \
    --email hello@riverside.example.com \
    --url https://riverside.example.com --street "1 River Road" \
    --locality Oxford --region Oxfordshire --postcode "OX1 1AA"
openbooking seller list
openbooking partner add acme --name Acme --seller riverside
openbooking partner add acme --name Acme \
    --redirect-uri "https://acme.example.com/return"
openbooking partner list
openbooking partner show acme
openbooking partner redirect-uris acme https://acme.example.com/return
openbooking partner grant acme riverside
openbooking partner grant acme riverside --venue "Main Hall, OX1 1AA"
openbooking partner grant acme riverside --clear venues
openbooking partner revoke acme riverside
openbooking partner suspend acme
openbooking partner suspend acme --seller riverside
openbooking partner resume acme
openbooking partner new-key acme --overlap-days 7
openbooking partner new-key acme --until 2026-12-31
openbooking partner new-secret acme --overlap-days 7
openbooking partner end-former-key acme
openbooking partner end-former-secret acme
openbooking access-request list
openbooking access-request show 7f3a9c
openbooking access-request approve 7f3a9c --key acme --seller riverside
openbooking access-request approve 7f3a9c --key acme --all-sellers
openbooking access-request refuse 7f3a9c
openbooking user administrator ann@riverside.example
openbooking user administrator ann@riverside.example --end
openbooking user add ann@riverside.example.com --seller riverside
openbooking user add bob@riverside.example.com --seller riverside \
    --role staff
openbooking user list
openbooking user add-seller ann@riverside.example.com \
    --seller hillside --role manager
openbooking user remove-seller ann@riverside.example.com --seller hillside
openbooking user remove ann@riverside.example.com
openbooking user reset-link ann@riverside.example.com
openbooking user unlock ann@riverside.example.com
openbooking user reset-second-factor ann@riverside.example.com
openbooking person export geoff@example.net > geoff.json
openbooking person erase geoff@example.net
openbooking registration-token add "Acme Ltd" --days 30 --uses 1
openbooking registration-token add "Acme Ltd" --link
openbooking registration-token list
openbooking registration-token revoke "Acme Ltd"
openbooking broker discover http://127.0.0.1:8000/openactive
openbooking broker harvest http://127.0.0.1:8000/openactive
openbooking broker search http://127.0.0.1:8000/openactive --text swimming
openbooking broker search http://127.0.0.1:8000/openactive \
    --activity badminton --near 51.75,-1.25,5 --day 2026-12-05
openbooking broker quote http://127.0.0.1:8000/openactive \
    --text swimming --hit 2
openbooking broker book http://127.0.0.1:8000/openactive --text swimming \
    --email sam@example.net --given-name Sam --family-name Lee \
    --pretend-payment
openbooking broker orders http://127.0.0.1:8000/openactive
openbooking broker cancel http://127.0.0.1:8000/openactive \
    e11429ea-467f-4270-ab62-e47368996fe8
openbooking signing-key rotate
openbooking signing-key rotate --at-once
openbooking signing-key list
"""


def add_examples(app: typer.Typer) -> None:
    """Put the examples of each command below its help, and those of some of its commands below the help of a group."""
    _add_below(app, _PROGRAM)


def _add_below(app: typer.Typer, path: str) -> None:
    """Add the examples of a group of commands.

    Args:
        app: The group.
        path: The words by which the group is called.
    """
    for command in app.registered_commands:
        command.epilog = _epilog(_examples_of(f"{path} {_name(command)}"))
    for group in app.registered_groups:
        if group.typer_instance:
            _add_below(group.typer_instance, f"{path} {group.name}" if group.name else path)
    app.info.epilog = _epilog(islice(_first_of_commands(path), _OF_GROUP))


def _name(command: CommandInfo) -> str:
    """Return the name of a command, which typer makes from the function if none is given."""
    return command.name or get_command_name(getattr(command.callback, "__name__", ""))


def _examples_of(path: str) -> list[str]:
    """Return the examples that begin with the words of a command."""
    return [example for example in _every_example() if f"{example} ".startswith(f"{path} ")]


def _first_of_commands(path: str) -> Iterable[str]:
    """Return the first example of each command of a group."""
    words = len(path.split()) + 1
    first: dict[tuple[str, ...], str] = {}
    for example in _examples_of(path):
        first.setdefault(tuple(example.split()[:words]), example)
    return first.values()


def _every_example() -> list[str]:
    return [f"{_PROGRAM} {words}" for words in _EXAMPLES.rstrip().split(f"\n{_PROGRAM} ")[1:]]


def _epilog(examples: Iterable[str]) -> str:
    """Return examples as the text below the help."""
    return "\n".join(["Examples:", *examples])
