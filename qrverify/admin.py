from django.contrib import admin
from django.http import HttpRequest

from qrverify.models import QrToken


@admin.register(QrToken)
class QrTokenAdmin(admin.ModelAdmin[QrToken]):
    """Which codes were shown and when; their secrets are not kept."""

    list_display = ("created_at", "type", "issuer", "expires_at", "used_at", "revoked_at")
    list_select_related = ("issuer",)
    fields = list_display
    readonly_fields = list_display

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False
