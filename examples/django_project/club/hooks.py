"""Copies what apps book into Django's database."""

from club.models import AppBooking
from openbooking import AttendanceRecorded, OrderBooked, OrderCancelled, OrderChanged, OrderDeleted, OrderEvent, System


async def on_committed(event: OrderEvent, system: System) -> None:
    """Write the items of an event. An event may be told twice, so rows are replaced."""
    del system
    of_order = {"partner": event.order.partner, "order": event.order.uuid}
    match event:
        case OrderBooked() | OrderChanged() | OrderCancelled() | AttendanceRecorded():
            for item in event.items:
                values = {"session": item.opportunity, "status": item.status.rpartition("/")[2]}
                await AppBooking.objects.aupdate_or_create(**of_order, item=item.number, defaults=values)
        case OrderDeleted():
            await AppBooking.objects.filter(**of_order).adelete()
