"""`openbooking certificate`: check a conformance certificate before it is served."""

from pathlib import Path
from typing import Annotated

import typer

from openbooking.cli.faults import CommandError
from openbooking.cli.output import show, show_aside
from openbooking.clock import SystemClock
from openbooking.settings import load_settings


def certificate(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The certificate, usually an index.html.")],
) -> None:
    """Check whether a certificate of the OpenActive Test Suite is one of this Booking System.

    Prints the URL at which it is valid, the Booking System that it was awarded to, its version, the day on which it was
    made, and the tested features. The dataset site names only a certificate that this command accepts.
    """
    from openbooking.web.api.conformance import check_certificate  # noqa: PLC0415 - slow to load

    if "://" in file:
        raise CommandError(f"Save {file} as a file, and give the file. A certificate hosted elsewhere is not checked.")
    found, faults = check_certificate(load_settings(), Path(file), SystemClock()())
    if found:
        show("URL", found.url)
        show("awarded to", found.holder)
        show("version", found.version)
        show("made on", f"{found.created:%Y-%m-%d}")
        for feature in found.features:
            show("feature", feature)
    if faults:
        raise CommandError(f"The dataset site does not name this certificate. {' '.join(faults)}")
    show_aside("This system can serve the certificate: set OPENBOOKING_CONFORMANCE_CERTIFICATE to the file.")
