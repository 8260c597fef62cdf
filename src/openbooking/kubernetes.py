"""Recognition of environment variables that Kubernetes sets for a Service, so that they are not read as settings.

Kubernetes sets variables in each container for each Service of the namespace. The variables of a Service called
openbooking, or openbooking-…, start with OPENBOOKING_, as the settings do.
https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
"""

import re

# Logged as the reason if OPENBOOKING_PORT is ignored.
PORT_LEFT_OUT = (
    "Kubernetes has set this variable for a Service called openbooking. The server uses the port of --port, of the "
    "settings file or the default. To use the variable, set enableServiceLinks: false or rename the Service."
)
_ADDRESS = r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)"
_URL = rf"(?:tcp|udp|sctp)://(?:{_ADDRESS}|\[{_ADDRESS}\]):[0-9]+"
_PORT = r"PORT_[0-9]+_(?:TCP|UDP|SCTP)"
_OF_SERVICE = re.compile(
    r"[A-Z_][A-Z0-9_]*?_(?:"
    rf"SERVICE_HOST={_ADDRESS}|SERVICE_PORT(?:_[A-Z0-9_]+)?=[0-9]+"
    rf"|PORT={_URL}|{_PORT}={_URL}|{_PORT}_PROTO=(?:tcp|udp|sctp)|{_PORT}_PORT=[0-9]+|{_PORT}_ADDR={_ADDRESS})"
)


def is_of_service(name: str, value: str) -> bool:
    """Return whether Kubernetes sets variables of this name to values of this form for a Service."""
    return _OF_SERVICE.fullmatch(f"{name}={value}") is not None
