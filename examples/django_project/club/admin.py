"""The bookings of apps in Django's admin. They can only be read: changes are commands of openbooking."""

from django.contrib import admin

from club.models import AppBooking


@admin.register(AppBooking)
class AppBookingAdmin(admin.ModelAdmin):
    """A list with a filter, without forms to change rows."""

    list_display = ("session", "status", "partner", "order", "item")
    list_filter = ("status",)

    def has_add_permission(self, *_: object) -> bool:
        """Return False."""
        return False

    def has_change_permission(self, *_: object) -> bool:
        """Return False."""
        return False

    def has_delete_permission(self, *_: object) -> bool:
        """Return False."""
        return False
