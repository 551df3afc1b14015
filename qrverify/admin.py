from django.contrib import admin

from common.admin import LookOnly
from qrverify.models import QrToken


@admin.register(QrToken)
class QrTokenAdmin(LookOnly, admin.ModelAdmin[QrToken]):
    """Which codes were shown and when; their secrets are not kept."""

    list_display = ("created_at", "type", "issuer", "expires_at", "used_at", "revoked_at")
    list_select_related = ("issuer",)
    fields = list_display
    readonly_fields = list_display
