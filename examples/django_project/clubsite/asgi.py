"""The ASGI application: openbooking below the path of its `site_url`, Django everywhere else."""

import os

from django.core.asgi import get_asgi_application
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route

from openbooking import create_app, load_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clubsite.settings")
# Django must be set up before its models are imported.
django = get_asgi_application()

from club.hooks import on_committed  # noqa: E402

from clubsite.booking import lifespan_of  # noqa: E402

settings = load_settings()
booking = create_app(settings, on_committed=on_committed)
application = Starlette(
    routes=[
        Route(settings.site_path, lambda _: RedirectResponse(f"{settings.site_path}/")),
        Mount(settings.site_path, booking),
        Mount("/", django),
    ],
    lifespan=lifespan_of(booking),
)
