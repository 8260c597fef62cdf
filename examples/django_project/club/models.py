"""The club's copy of what apps have booked."""

from django.db import models


class AppBooking(models.Model):
    """An item of an Order that an app has booked."""

    partner = models.CharField(max_length=200)
    order = models.UUIDField()
    item = models.PositiveIntegerField()
    session = models.CharField(max_length=500)
    status = models.CharField(max_length=100)

    class Meta:
        """One row for each item."""

        constraints = (models.UniqueConstraint(fields=("partner", "order", "item"), name="one_row_an_item"),)

    def __str__(self) -> str:
        return f"{self.session}: {self.status}"
