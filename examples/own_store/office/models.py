"""The studio's tables, which Django did not make."""

from django.db import models


class Member(models.Model):
    """A member of the studio."""

    id = models.AutoField(primary_key=True)
    name = models.TextField()

    class Meta:
        """The table of `studio.sql`."""

        db_table = "members"
        managed = False

    def __str__(self) -> str:
        return self.name


class ClassDate(models.Model):
    """A date of a class."""

    id = models.AutoField(primary_key=True)
    starts = models.TextField()

    class Meta:
        """The table of `studio.sql`."""

        db_table = "class_dates"
        managed = False

    def __str__(self) -> str:
        return f"{self.starts} ({self.pk})"


class Visit(models.Model):
    """A walk-in: a member who came without a booking. A trigger of `sales.sql` refuses the row if no space is left."""

    id = models.AutoField(primary_key=True)
    member = models.ForeignKey(Member, models.DO_NOTHING)
    class_date = models.ForeignKey(ClassDate, models.DO_NOTHING)

    class Meta:
        """The table of `studio.sql`."""

        db_table = "walk_ins"
        managed = False
        verbose_name = "walk-in"

    def __str__(self) -> str:
        return f"{self.member}, {self.class_date}"
