"""A club's FastAPI application with a Booking System below `/booking`: `uvicorn --factory club:app`."""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from html import escape

from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import HTMLResponse

from openbooking import (
    Clock,
    OrderBooked,
    OrderCancelled,
    OrderDeleted,
    OrderEvent,
    Settings,
    System,
    create_app,
    load_settings,
)

PAGE = "<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1>{body}</html>"


class Register:
    """The club's own table: how many spaces apps have booked for each session."""

    def __init__(self, path: str) -> None:
        self._path = path
        with closing(self._connect()) as db:
            db.execute("CREATE TABLE IF NOT EXISTS told (event_id TEXT PRIMARY KEY)")
            db.execute("CREATE TABLE IF NOT EXISTS booked (session TEXT PRIMARY KEY, spaces INTEGER NOT NULL)")

    def add(self, event_id: str, sessions: list[str], change: int) -> None:
        """Add `change` for each session. An event that was told before has no effect."""
        with closing(self._connect()) as db, db:
            db.execute("BEGIN IMMEDIATE")
            if db.execute("INSERT INTO told VALUES (?) ON CONFLICT DO NOTHING", (event_id,)).rowcount:
                db.executemany(
                    "INSERT INTO booked VALUES (?, ?) ON CONFLICT (session) DO UPDATE SET spaces = spaces + ?",
                    [(session, change, change) for session in sessions],
                )

    def sessions(self) -> dict[str, int]:
        """Return the number of booked spaces of each session."""
        with closing(self._connect()) as db:
            return dict(db.execute("SELECT session, spaces FROM booked ORDER BY session"))

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, isolation_level=None)


def make_app(settings: Settings, register: Register, clock: Clock | None = None) -> FastAPI:
    """Return the club's application with the Booking System."""

    async def on_committed(event: OrderEvent, system: System) -> None:
        del system
        sessions = [item.opportunity for item in event.items]
        match event:
            case OrderBooked():
                register.add(event.id, sessions, 1)
            case OrderCancelled() | OrderDeleted():
                register.add(event.id, sessions, -1)

    booking = create_app(settings, clock, on_committed=on_committed)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        await booking.open()
        yield
        await booking.close()

    club = FastAPI(title="Riverside Club", lifespan=lifespan)

    @club.get("/", response_class=HTMLResponse)
    def home() -> str:
        links = f'<p><a href="{settings.site_path}/">Book with an app</a> <a href="/register">Register</a></p>'
        return PAGE.format(title="Riverside Club", body=links)

    @club.get("/register", response_class=HTMLResponse, dependencies=[Depends(signed_in)])
    def show_register() -> str:
        rows = "".join(f"<li>{escape(name)}: {spaces}</li>" for name, spaces in register.sessions().items())
        return PAGE.format(title="Register", body=f"<ul>{rows}</ul>")

    club.mount(settings.site_path, booking)
    return club


def signed_in() -> None:
    """Check who is signed in to the club's site. Put the club's own sign-in here: openbooking knows nothing of it."""
    if os.environ.get("CLUB_REGISTER_IS_PUBLIC") != "yes":
        raise HTTPException(401, "Sign in to the club's site first.")


def app() -> FastAPI:
    """Return the application with the settings of the environment."""
    return make_app(load_settings(), Register(os.environ.get("CLUB_DATABASE", "club.sqlite3")))
