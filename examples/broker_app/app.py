"""The sample app for any Booking System, such as the one that `openbooking demo` serves:

BROKER_APP_SITE=http://127.0.0.1:8000/openactive BROKER_APP_API_KEY=… uvicorn app:app --port 8010
"""

import os
import secrets

from openbooking.sandbox.broker_app.app import Config, create_app

app = create_app(
    Config(
        site=os.environ["BROKER_APP_SITE"],
        api_key=os.environ["BROKER_APP_API_KEY"],
        database=os.environ.get("BROKER_APP_DATABASE", "broker_app.sqlite3"),
        # Without a secret of its own, each start makes new cookies, and Customers lose sight of their bookings.
        secret=os.environ.get("BROKER_APP_SECRET", secrets.token_hex()).encode(),
        name=os.environ.get("BROKER_APP_NAME", "Get Moving"),
        is_secure=os.environ.get("BROKER_APP_HTTPS", "") == "yes",
    )
)
