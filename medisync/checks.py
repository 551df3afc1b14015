"""Combinations of settings that are each legal and together unsafe.

Errors stop every command, so also `migrate`, which goes first in a deployment. Those that only
matter there are told by `manage.py check --deploy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from common.crypto import parse_keys
from qrverify.smart import keys

LOOPBACK = {"localhost", "127.0.0.1", "::1", "[::1]", ".localhost", "testserver"}
Configs = Sequence[AppConfig] | None


@register(Tags.security)
def check_debug(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Debug pages show settings, source and mail: to this machine only."""
    public = sorted(set(settings.ALLOWED_HOSTS) - LOOPBACK)
    if settings.DEBUG and public:
        hosts = ", ".join(public)
        return [
            Error(
                f"DEBUG is on while ALLOWED_HOSTS admits {hosts}.",
                hint="Turn DEBUG off, or serve localhost only.",
                id="medisync.E001",
            )
        ]
    return []


@register(Tags.security)
def check_encryption_keys(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Without valid keys no personal value can be written or read."""
    try:
        parse_keys(settings.FIELD_ENCRYPTION_KEYS)
    except ImproperlyConfigured as error:
        return [Error(str(error), id="medisync.E002")]
    return []


@register(Tags.security)
def check_health_card_keys(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Without valid keys no health card can be signed or read."""
    try:
        keys.parse_keys(settings.HEALTH_CARD_SIGNING_KEYS)
    except ImproperlyConfigured as error:
        return [Error(str(error), id="medisync.E013")]
    return []


@register(Tags.security)
def check_place_database(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """A list of sign-ins that asks for places would fail without it."""
    path = settings.GEOIP_DATABASE
    if path and not Path(path).is_file():
        return [Error(f"GEOIP_DATABASE: there is no file {path}.", id="medisync.E012")]
    return []


@register(Tags.security)
def check_development_services(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """The services, secrets and mail of a devstack are for development."""
    if settings.DEBUG:
        return []
    found: list[CheckMessage] = []
    if settings.DEV_INBOX_DIR:
        found.append(
            Error(
                "DEV_INBOX_DIR is set while DEBUG is off: mail would be kept, not sent.",
                hint="Unset DEV_INBOX_DIR and point EMAIL_URL at a real mail server.",
                id="medisync.E003",
            )
        )
    if not settings.EMAIL_BACKEND.endswith((".smtp.EmailBackend", ".locmem.EmailBackend")):
        found.append(
            Error(
                "EMAIL_URL sends no mail while DEBUG is off.",
                hint="Use smtp://, smtp+tls:// or smtp+ssl://.",
                id="medisync.E004",
            )
        )
    if any(entry.startswith("dev") for entry in settings.FIELD_ENCRYPTION_KEYS):
        found.append(
            Error(
                "FIELD_ENCRYPTION_KEYS holds a key made for development.",
                hint="Make keys as docs/configuration.md shows.",
                id="medisync.E005",
            )
        )
    return found


@register(Tags.security, deploy=True)
def check_transport(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Patients' data travels encrypted, and links in mail lead to the encrypted site."""
    found: list[CheckMessage] = []
    site = urlsplit(settings.SITE_URL)
    if site.scheme != "https":
        found.append(Error("SITE_URL is not https.", id="medisync.E006"))
    if site.hostname and not _allowed(site.hostname):
        found.append(
            Error(
                f"SITE_URL names {site.hostname}, which ALLOWED_HOSTS does not admit.",
                id="medisync.E007",
            )
        )
    if not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        found.append(Error("Cookies may travel unencrypted.", id="medisync.E008"))
    insecure = [
        origin
        for origin in [*settings.CORS_ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS]
        if not origin.startswith("https://")
    ]
    if insecure:
        found.append(Error(f"Trusted origins without https: {insecure}.", id="medisync.E009"))
    if settings.GOOGLE_CLIENT_ID and not settings.GOOGLE_ISSUER.startswith("https://"):
        found.append(Error("GOOGLE_ISSUER is not https.", id="medisync.E011"))
    if settings.EMAIL_HOST_PASSWORD and not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL):
        found.append(
            checks.Warning(
                "The mail server's password travels unencrypted.",
                hint="Use smtp+tls:// or smtp+ssl:// in EMAIL_URL.",
                id="medisync.W001",
            )
        )
    if not settings.TRUSTED_PROXY_COUNT:
        found.append(
            checks.Warning(
                "TRUSTED_PROXY_COUNT is 0: behind a proxy every caller would share its address, "
                "and https would not be recognised.",
                id="medisync.W002",
            )
        )
    return found


@register(Tags.security, deploy=True)
def check_hosts(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """A wildcard host lets a caller choose the address in links and mails."""
    if "*" in settings.ALLOWED_HOSTS:
        return [Error("ALLOWED_HOSTS admits every host.", id="medisync.E010")]
    return []


def _allowed(host: str) -> bool:
    return any(
        entry in ("*", host) or (entry.startswith(".") and f".{host}".endswith(entry))
        for entry in settings.ALLOWED_HOSTS
    )
