"""The environment variables that Kubernetes sets in each container for each Service of its namespace.

Those for a Service called openbooking, or openbooking-…, begin as our settings do.
https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
"""

import re

_ADDRESS = r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)"
_URL = rf"(?:tcp|udp|sctp)://(?:{_ADDRESS}|\[{_ADDRESS}\]):[0-9]+"
_PORT = r"PORT_[0-9]+_(?:TCP|UDP|SCTP)"
_OF_SERVICE = re.compile(
    r"[A-Z_][A-Z0-9_]*?_(?:"
    rf"SERVICE_HOST={_ADDRESS}|SERVICE_PORT(?:_[A-Z0-9_]+)?=[0-9]+"
    rf"|PORT={_URL}|{_PORT}={_URL}|{_PORT}_PROTO=(?:tcp|udp|sctp)|{_PORT}_PORT=[0-9]+|{_PORT}_ADDR={_ADDRESS})"
)


def is_of_service(name: str, value: str) -> bool:
    """Whether Kubernetes sets a variable of this name to such a value."""
    return _OF_SERVICE.fullmatch(f"{name}={value}") is not None
