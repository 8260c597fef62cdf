"""Walk-ins in Django's admin. The message of a trigger that refuses a row is an error of the form."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse

from office.models import Visit


class RefusableForm(forms.ModelForm):
    """A form with an error if the database has refused the row."""

    refusal = ""

    def clean(self) -> dict[str, Any] | None:
        """Raise ValidationError with the message of the database."""
        if self.refusal:
            raise ValidationError(self.refusal)
        return super().clean()


@admin.register(Visit)
class WalkInAdmin(admin.ModelAdmin):
    """Saves a walk-in. If the database refuses the row, the form is shown again. Django would answer with 500."""

    form = RefusableForm

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> type[RefusableForm]:
        """Return the class of the form for a request."""
        form = super().get_form(request, *args, **kwargs)
        form.refusal = getattr(request, "refusal", "")
        return form

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show or save the form."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except IntegrityError as fault:
            # PostgreSQL adds lines about the trigger.
            request.refusal = str(fault).partition("\n")[0]
            return super().changeform_view(request, *args, **kwargs)
