"""Mail kept as files instead of being sent, one `.eml` for each Message-ID."""

from __future__ import annotations

import datetime as dt
import email
import email.message
import email.policy
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StoredMail:
    """One kept message. `deliveries` counts how often it arrived: more than once is a fault."""

    id: str
    to: list[str]
    subject: str
    text: str
    html: str
    date: dt.datetime
    deliveries: int


class Mailbox:
    """A directory of messages. Their id is a digest of the Message-ID."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def keep(self, content: bytes, recipients: list[str]) -> None:
        """Stores a message; one that is here already is only counted."""
        message_id = email.message_from_bytes(content).get("Message-ID") or content.hex()
        name = hashlib.sha256(message_id.strip().encode(errors="replace")).hexdigest()[:32]
        path = self._path(name)
        if path.exists():
            with path.with_suffix(".again").open("a") as file:
                file.write(f"{dt.datetime.now(dt.UTC).isoformat()}\n")
            return
        draft = path.with_suffix(".new")
        draft.write_bytes(f"X-RcptTo: {', '.join(recipients)}\r\n".encode() + content)
        draft.rename(path)

    def newest(self, *, to: str = "") -> list[StoredMail]:
        """Every message, the last one first; optionally only those to one address."""
        paths = sorted(self.directory.glob("*.eml"), key=_arrival, reverse=True)
        mails = (self._read(path) for path in paths)
        return [mail for mail in mails if not to or to.lower() in map(str.lower, mail.to)]

    def get(self, name: str) -> StoredMail | None:
        """The message of that id, if there is one."""
        path = self._path(name)
        found = re.fullmatch(r"[0-9a-f]{32}", name) and path.exists()
        return self._read(path) if found else None

    def _path(self, name: str) -> Path:
        return self.directory / f"{name}.eml"

    def _read(self, path: Path) -> StoredMail:
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        again = path.with_suffix(".again")
        return StoredMail(
            id=path.stem,
            to=[address.strip() for address in message["X-RcptTo"].split(",")],
            subject=str(message["Subject"] or ""),
            text=_body(message, "plain"),
            html=_body(message, "html"),
            date=dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC),
            deliveries=1 + (len(again.read_text().splitlines()) if again.exists() else 0),
        )


def _arrival(path: Path) -> int:
    return path.stat().st_mtime_ns


def _body(message: email.message.EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return part.get_content().replace("\r\n", "\n") if part else ""
