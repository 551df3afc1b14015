"""Keys for tests, as settings hold them."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from medisync.devstack.environment import new_secrets


def new_card_key() -> str:
    """A private key, as the development stack makes it."""
    return new_secrets()["HEALTH_CARD_SIGNING_KEYS"]


def public_half(key: str) -> str:
    """What may stay in the settings once a key signs no more."""
    private = serialization.load_der_private_key(base64.b64decode(key), password=None)
    der = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode()


def key_on_another_curve() -> str:
    key = ec.generate_private_key(ec.SECP384R1())
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return base64.b64encode(der).decode()
