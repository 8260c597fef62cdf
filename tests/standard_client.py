"""A client of the provider that none of us wrote: Authlib's."""

import warnings

# Authlib would like a successor of httpx better, and says so whatever the filters are; it works with both.
with warnings.catch_warnings(record=True):
    from authlib.integrations.httpx_client import AsyncOAuth2Client
    from authlib.oidc.core import CodeIDToken

__all__ = ["AsyncOAuth2Client", "CodeIDToken"]
