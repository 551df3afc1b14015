"""The environment a devstack gives its programs, and how other commands join it.

Kept to the standard library: `manage.py` imports it for every command.
"""

from __future__ import annotations

import base64
import os
import secrets
import shlex
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent
LOCAL_DIR = BASE_DIR / ".local"
# The environment of the devstack that is running now; absent while none is.
RUNNING = "env"
SECRETS = "secrets"
# An elliptic curve key in PKCS #8 is this and the number that is secret, below the order.
PKCS8_P256 = bytes.fromhex("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420")
ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def read(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of a file that a shell could read as well."""
    return dict(word.split("=", 1) for word in shlex.split(path.read_text()))


def write(path: Path, values: dict[str, str]) -> None:
    """Replaces a file as a whole, readable by its owner only: it may hold secrets."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    draft.replace(path)


def new_secrets(key_id: str = "dev1") -> dict[str, str]:
    """Signing keys and a 256-bit field encryption key; production refuses a `dev…` key."""
    number = 1 + secrets.randbelow(ORDER_P256 - 1)
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "BLIND_INDEX_KEY": secrets.token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS": f"{key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "HEALTH_CARD_SIGNING_KEYS": base64.b64encode(
            PKCS8_P256 + number.to_bytes(32, "big")
        ).decode(),
    }


def kept_secrets(local: Path) -> dict[str, str]:
    """The secrets of this data directory, made once: without them its data cannot be read."""
    path = local / SECRETS
    kept = read(path) if path.exists() else {}
    complete = new_secrets() | kept
    if complete != kept:
        write(path, complete)
    return complete


def join_running_devstack(local: Path = LOCAL_DIR) -> None:
    """Takes from a running devstack what the environment does not set itself.

    With `DATABASE_URL` set the caller has chosen its services, and nothing is taken.
    """
    path = local / RUNNING
    if "DATABASE_URL" not in os.environ and path.exists():
        os.environ.update(read(path) | os.environ)
