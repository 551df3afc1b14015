"""The catalogue in the admin: the one list that administrators write."""

from django.contrib import admin
from django.http import HttpRequest

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

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        """Retire it instead: doctors may have it."""
        return False
