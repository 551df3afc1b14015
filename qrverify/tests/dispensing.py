"""A pharmacist at a browser, who has a paper and no account."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from prescriptions.models import Prescription

SAID = {
    "pharmacy_name": "Nile Pharmacy",
    "pharmacist_name": "Hoda Samir",
    "licence_number": "PH-1234",
}


class Pharmacist:
    """Goes by the forms of the pages: what is not in one is not sent."""

    def __init__(self) -> None:
        self.client = Client()
        self.page: Any = None

    @property
    def text(self) -> str:
        return str(self.page.content.decode())

    def scan(self, prescription: Prescription) -> None:
        self.page = self.client.get(prescription.verification_path)

    def send(self, action: str, **typed: Any) -> Any:
        """Send the form with that address, as it stands on the page, with what is typed."""
        self.sent = action, {**hidden_fields(self.text, action), **typed}
        return self.resend()

    def resend(self) -> Any:
        """Reload the page."""
        action, data = self.sent
        self.page = self.client.post(f"{action}?language=en", data)
        return self.page

    def open(self, prescription: Prescription) -> None:
        self.scan(prescription)
        self.send("/dispensing/open", pin=prescription.pin)

    def claim(self, prescription: Prescription, **changes: Any) -> str:
        """Returns the claim's code, as it stands on the page."""
        self.open(prescription)
        self.send("/dispensing/claim", **SAID | changes)
        assert self.page.status_code == 200, self.text
        return re.findall(r'class="code-big">([0-9A-Z-]{11})<', self.text)[0]


def hidden_fields(page: str, action: str) -> dict[str, str]:
    """The name and value of each hidden or filled field of the first form of that address."""
    (form,) = re.findall(
        rf'<form[^>]*action="{re.escape(action)}(?:\?[^"]*)?"[^>]*>(.*?)</form>', page, re.DOTALL
    )[:1] or [""]
    found = {}
    for field in re.findall(r"<input[^>]*>", form):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', field))
        if "value" in attributes:
            found[attributes["name"]] = attributes["value"]
    return found
