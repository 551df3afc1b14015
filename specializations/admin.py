from django.contrib import admin
from django.http import HttpRequest

from specializations.models import Specialization


@admin.register(Specialization)
class SpecializationAdmin(admin.ModelAdmin[Specialization]):
    list_display = ("name_en", "name_ar", "code", "is_retired")
    list_filter = ("is_retired",)
    search_fields = ("name_en", "name_ar", "code", "aliases")

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        """Retire it instead: doctors may have it."""
        return False
