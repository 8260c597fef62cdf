"""The Booking System of the studio: `uvicorn --factory studio.app:app`."""

import os

from openbooking import (
    Application,
    AttendanceRecorded,
    Clock,
    OrderBooked,
    OrderCancelled,
    OrderChanged,
    OrderDeleted,
    OrderEvent,
    Settings,
    System,
    create_app,
    load_settings,
)
from studio.database import Database


def app() -> Application:
    """Return the application for the database that the variable STUDIO_DATABASE names."""
    studio = Database(os.environ["STUDIO_DATABASE"])
    return make_app(studio, load_settings(database=studio.of_openbooking))


def make_app(studio: Database, settings: Settings, clock: Clock | None = None) -> Application:
    """Return the application, which writes what apps have booked into a table of the studio."""

    async def on_committed(event: OrderEvent, system: System) -> None:
        del system
        match event:
            case OrderBooked() | OrderChanged() | OrderCancelled() | AttendanceRecorded():
                await write_down(studio, event)
            case OrderDeleted():
                statement = "DELETE FROM app_bookings WHERE partner = $1 AND order_uuid = $2"
                await studio.run(statement, *event.order)

    return create_app(settings, clock, on_committed=on_committed)


async def write_down(studio: Database, event: OrderEvent) -> None:
    """Write the items of an event. An event may be told twice, so rows are replaced."""
    for item in event.items:
        await studio.run(
            "INSERT INTO app_bookings (partner, order_uuid, item, path, status) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (partner, order_uuid, item) DO UPDATE SET path = excluded.path, status = excluded.status",
            *(*event.order, item.number, item.opportunity, item.status.rpartition("/")[2]),
        )
