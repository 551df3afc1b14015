"""What is shown as a QR code."""

from qrverify.models.cards import HealthCard, HealthCardQuerySet
from qrverify.models.emergency import (
    CardField,
    EmergencyCard,
    EmergencyCardQuerySet,
    EmergencyChoice,
    EmergencyScan,
    EmergencyScanQuerySet,
)
from qrverify.models.links import (
    LinkedData,
    LinkOpening,
    LinkOpeningQuerySet,
    SharedLink,
    SharedLinkQuerySet,
)
from qrverify.models.tokens import QrSighting, QrSightingQuerySet, QrToken, QrTokenQuerySet

__all__ = [
    "CardField",
    "EmergencyCard",
    "EmergencyCardQuerySet",
    "EmergencyChoice",
    "EmergencyScan",
    "EmergencyScanQuerySet",
    "HealthCard",
    "HealthCardQuerySet",
    "LinkOpening",
    "LinkOpeningQuerySet",
    "LinkedData",
    "QrSighting",
    "QrSightingQuerySet",
    "QrToken",
    "QrTokenQuerySet",
    "SharedLink",
    "SharedLinkQuerySet",
]
