"""Who is calling, as far as the network can tell."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network

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


def network_of(address: str) -> str:
    """What one caller can change at will counts as one: a household has an IPv4 address, but
    a whole /64 of IPv6 addresses (RFC 6177)."""
    ip = ip_address(address)
    if isinstance(ip, IPv4Address):
        return address
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ip_network(f"{address}/64", strict=False))
