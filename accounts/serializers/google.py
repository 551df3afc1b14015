"""Shapes of signing in with Google."""

from __future__ import annotations

from rest_framework import serializers

from accounts.models import OPEN_ROLES
from accounts.serializers.sessions import DeviceNameField
from common.serializers import StrictSerializer


class GoogleSerializer(StrictSerializer):
    id_token = serializers.CharField(max_length=10_000, write_only=True)
    nonce = serializers.CharField(
        max_length=200, required=False, help_text="The one that the app asked Google with, if any."
    )
    device_name = DeviceNameField(required=False, allow_blank=True)
    role = serializers.ChoiceField(
        choices=OPEN_ROLES, required=False, help_text="For somebody who has no account yet."
    )
    password = serializers.CharField(
        max_length=128,
        trim_whitespace=False,
        write_only=True,
        required=False,
        help_text="Of the account that has the address already, to link it once.",
    )
