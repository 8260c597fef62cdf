"""The OAuth 2.0 and OpenID Connect provider without HTTP: endpoints, tokens, signing keys and client registration."""
