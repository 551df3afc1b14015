"""The delivery ledger: read-only, and without what the mails said."""

from django.contrib import admin

from common.admin import LookOnly
from notifications.models import EmailDelivery


@admin.register(EmailDelivery)
class EmailDeliveryAdmin(LookOnly, admin.ModelAdmin[EmailDelivery]):
    list_display = ("created_at", "kind", "to_address", "status", "attempts", "last_error")
    list_filter = ("status", "kind")
    search_fields = ("to_address",)
    fields = (
        "kind", "to_address", "language", "status", "attempts",
        "created_at", "due_at", "sent_at", "last_error",
    )  # fmt: skip
    readonly_fields = fields
