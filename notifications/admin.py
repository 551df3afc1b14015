"""The delivery ledger: read-only, and without what the mails said."""

from django.contrib import admin
from django.http import HttpRequest

from notifications.models import EmailDelivery


@admin.register(EmailDelivery)
class EmailDeliveryAdmin(admin.ModelAdmin[EmailDelivery]):
    list_display = ("created_at", "kind", "to_address", "status", "attempts", "last_error")
    list_filter = ("status", "kind")
    search_fields = ("to_address",)
    fields = (
        "kind", "to_address", "language", "status", "attempts",
        "created_at", "due_at", "sent_at", "last_error",
    )  # fmt: skip
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False
