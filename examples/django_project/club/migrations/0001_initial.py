"""The table of the bookings of apps."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Create the table."""

    operations = (
        migrations.CreateModel(
            name="AppBooking",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("partner", models.CharField(max_length=200)),
                ("order", models.UUIDField()),
                ("item", models.PositiveIntegerField()),
                ("session", models.CharField(max_length=500)),
                ("status", models.CharField(max_length=100)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("partner", "order", "item"), name="one_row_an_item")],
            },
        ),
    )
