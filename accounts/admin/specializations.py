"""The catalogue in the admin: the pages are Django's, the verbs the API's."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.middleware import device_session
from accounts.services.specializations import (
    CHANGEABLE,
    add_specialization,
    change_specialization,
    delete_specialization,
)
from common.admin import OnlyOwnFilters
from specializations.models import Specialization


@admin.register(Specialization)
class SpecializationAdmin(OnlyOwnFilters, admin.ModelAdmin[Specialization]):
    list_display = ("name_en", "name_ar", "code", "is_retired")
    list_filter = ("is_retired",)
    search_fields = ("name_en", "name_ar", "code", "aliases")
    fields = (
        "name_en", "name_ar", "code", "aliases", "description_en", "description_ar", "is_retired",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: object | None = None) -> list[str]:
        """A code is given once: others may have written it down."""
        return ["code"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """One that doctors have is not offered to be deleted; it is retired instead."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj and obj.doctors.exists())

    def save_model(
        self, request: HttpRequest, obj: Specialization, form: Any, change: bool
    ) -> None:
        session = device_session(request)
        if change:
            changes = {name: form.cleaned_data[name] for name in CHANGEABLE}
            change_specialization(session=session, specialization_id=obj.pk, changes=changes)
        else:
            add_specialization(session=session, specialization=obj)

    def delete_model(self, request: HttpRequest, obj: Specialization) -> None:
        delete_specialization(session=device_session(request), specialization_id=obj.pk)
