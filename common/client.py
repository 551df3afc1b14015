"""Who is calling, as far as the network can tell."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104 - a value to store, not an address to bind


def client_address(request: HttpRequest) -> str:
    """The caller's IP address.

    `X-Forwarded-For` is believed for exactly as many hops as trusted proxies are configured;
    anything to their left was written by the caller and proves nothing.
    """
    hops = settings.TRUSTED_PROXY_COUNT
    address = request.META.get("REMOTE_ADDR") or ""
    if hops:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        address = forwarded[-hops].strip() if len(forwarded) >= hops else address
    try:
        return str(ip_address(address))
    except ValueError:
        return UNKNOWN_ADDRESS
