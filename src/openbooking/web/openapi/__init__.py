"""The OpenAPI document of this system, which is made from the code that reads and writes.

- `document.py`: the document: operations from the routes, replies, errors and headers.
- `schemas.py`: JSON Schemas from the types of messages, the error classes and the table of Opportunity types.
- `security.py`: the credentials that the settings ask for.
- `examples.py`: real messages, which `make examples` records.
- `bruno.py`: a collection of requests for the API client Bruno.
- `endpoint.py`: /openapi.json and /docs; `reading.py`: the document as the page shows it.
"""
