"""The environment variables that Kubernetes sets in each container for each Service of its namespace.

The variables of a Service called openbooking, or openbooking-…, start with OPENBOOKING_, as our settings do.
https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
"""

import re

# The reason in the log for a port variable that is left out.
PORT_LEFT_OUT = (
    "Kubernetes has set it for a Service called openbooking. The port comes from --port, the settings file or the "
    "default. To use the variable, set enableServiceLinks: false or rename the Service."
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
    """Return whether Kubernetes sets a variable of this name to such a value."""
    return _OF_SERVICE.fullmatch(f"{name}={value}") is not None
