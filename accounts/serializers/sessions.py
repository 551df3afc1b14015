"""Shapes of signing in and of sessions."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import DeviceSession, Factor
from accounts.places import place_of
from accounts.serializers.people import UserSerializer
from common.lines import check_plain_line
from common.serializers import StrictSerializer


class DeviceNameField(serializers.CharField):
    """What an app calls the device; its owner reads it, also in a mail."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)
        self.validators.append(check_plain_line)


class LoginSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False, write_only=True)
    device_name = DeviceNameField(required=False, allow_blank=True)


class RefreshSerializer(StrictSerializer):
    refresh_token = serializers.CharField(max_length=2000, write_only=True)


class TokenPairSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds the access token lasts.")


class LoginAnswerSerializer(TokenPairSerializer):
    user = UserSerializer()


class SecondFactorNeededSerializer(serializers.Serializer[Any]):
    """A right first factor, for an account that has a second one."""

    mfa_required = serializers.BooleanField()
    mfa_token = serializers.CharField()


class OnboardingAnswerSerializer(serializers.Serializer[Any]):
    """A right password for an account whose profile is not complete."""

    onboarding_required = serializers.BooleanField()
    onboarding_token = serializers.CharField()
    user_id = serializers.UUIDField()


class DeviceSessionSerializer(serializers.ModelSerializer[DeviceSession]):
    factor = serializers.ChoiceField(choices=Factor.choices, allow_blank=True, read_only=True)
    is_current = serializers.SerializerMethodField()
    place = serializers.SerializerMethodField()

    class Meta:
        model = DeviceSession
        fields: ClassVar[list[str]] = [
            "id", "method", "factor", "device_name", "user_agent", "ip_address", "place",
            "created_at", "last_seen_at", "is_current",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.BooleanField())
    def get_is_current(self, session: DeviceSession) -> bool:
        return bool(session.pk == self.context["request"].auth.pk)

    def get_place(self, session: DeviceSession) -> str:
        return place_of(session.ip_address)
