"""Shapes of SMART Health Links."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.serializers import StrictSerializer
from qrverify.models import LinkedData, LinkOpening, SharedLink
from qrverify.services import links
from qrverify.services.links import Wish


class NewLinkSerializer(StrictSerializer):
    """What a link shall show. Valid, it is a `Wish`."""

    content = serializers.ChoiceField(choices=SharedLink.Content.choices)
    categories = serializers.ListField(
        child=serializers.ChoiceField(choices=LinkedData.choices),
        max_length=len(LinkedData),
        required=False,
        help_text="What a summary shows; none of an emergency card.",
    )
    label = serializers.CharField(  # type: ignore[assignment]
        max_length=SharedLink.LABEL_LENGTH, required=False, allow_blank=True
    )
    passcode = serializers.CharField(
        max_length=links.LONGEST_PASSCODE,
        min_length=links.SHORTEST_PASSCODE,
        required=False,
        trim_whitespace=False,
        help_text="Whoever opens the link has to know it; it is nowhere shown again.",
    )
    hours = serializers.IntegerField(
        min_value=1, max_value=365 * 24, help_text="How long it opens anything."
    )

    def validate(self, attrs: dict[str, Any]) -> Wish:
        lasts = dt.timedelta(hours=attrs.pop("hours"))
        return Wish(lasts=lasts, **attrs)


class LinkOpeningSerializer(serializers.ModelSerializer[LinkOpening]):
    opened_at = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = LinkOpening
        fields: ClassVar[list[str]] = ["id", "recipient", "opened_at"]
        read_only_fields = fields


class SharedLinkSerializer(serializers.ModelSerializer[SharedLink]):
    """A link as its patient sees it in a list: without the secrets."""

    state = serializers.SerializerMethodField()
    has_passcode = serializers.BooleanField(read_only=True)

    class Meta:
        model = SharedLink
        fields: ClassVar[list[str]] = [
            "id", "label", "content", "categories", "state", "has_passcode", "created_at",
            "expires_at", "revoked_at", "opened_count", "last_opened_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=SharedLink.State.choices))
    def get_state(self, link: SharedLink) -> str:
        return link.state(timezone.now())


class AddressSerializer(serializers.Serializer[links.Address]):
    """What opens a link."""

    shlink = serializers.CharField(read_only=True, help_text="The link as apps read it.")
    url = serializers.CharField(read_only=True, help_text="The same for a browser; in the QR code.")


class OpenedLinkSerializer(SharedLinkSerializer):
    """One link, and who opened it."""

    openings = serializers.SerializerMethodField(help_text="The last hundred.")

    class Meta(SharedLinkSerializer.Meta):
        fields: ClassVar[list[str]] = [*SharedLinkSerializer.Meta.fields, "openings"]
        read_only_fields = fields

    @extend_schema_field(LinkOpeningSerializer(many=True))
    def get_openings(self, link: SharedLink) -> Any:
        return LinkOpeningSerializer(link.openings.all()[:100], many=True).data


class ShownLinkSerializer(OpenedLinkSerializer):
    """A link that was made just now, with what opens it."""

    shlink = serializers.SerializerMethodField(help_text="The link as apps read it.")
    url = serializers.SerializerMethodField(help_text="The same for a browser; in the QR code.")

    class Meta(OpenedLinkSerializer.Meta):
        fields: ClassVar[list[str]] = [*OpenedLinkSerializer.Meta.fields, "shlink", "url"]
        read_only_fields = fields

    def get_shlink(self, link: SharedLink) -> str:
        return links.address_of(link)

    def get_url(self, link: SharedLink) -> str:
        return links.page_of(link)
