"""The club's own page."""

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from club.models import AppBooking


def home(request: HttpRequest) -> HttpResponse:
    """Show how many spaces apps have booked, with links to the Booking System and the admin."""
    del request
    booked = AppBooking.objects.filter(status="OrderItemConfirmed").count()
    return HttpResponse(
        format_html(
            "<!doctype html><html lang=en><title>Riverside Club</title><h1>Riverside Club</h1>"
            '<p>Booked by apps: {}</p><p><a href="/booking/">Book with an app</a> <a href="/admin/">Staff</a></p>',
            booked,
        )
    )
