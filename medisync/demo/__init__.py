"""The demonstration clinic: sample people and a year of what they did.

Everything in it is drawn from a seed, so the same command makes the same rows. This module
needs no Django, for the devstack reads it before Django is set up.
"""

from __future__ import annotations

from typing import NamedTuple

# Everybody in the demonstration signs in with it. Published on purpose, and so refused in
# production unless asked for by name.
DEMO_PASSWORD = "a-clinic-to-try-out"  # noqa: S105
# A top-level name that can never exist (RFC 2606): no mail can reach a stranger.
DEMO_DOMAIN = "medisync.example"


class DemoAccount(NamedTuple):
    """An account to sign in with and look around."""

    role: str
    email: str
    password: str
    note: str


DOCTOR_EMAIL = f"doctor@{DEMO_DOMAIN}"
PATIENT_EMAIL = f"patient@{DEMO_DOMAIN}"
ARABIC_PATIENT_EMAIL = f"patient.ar@{DEMO_DOMAIN}"
APPLICANT_EMAIL = f"applicant@{DEMO_DOMAIN}"
ADMIN_EMAIL = f"admin@{DEMO_DOMAIN}"

DEMO_ACCOUNTS: tuple[DemoAccount, ...] = (
    DemoAccount("DOCTOR", DOCTOR_EMAIL, DEMO_PASSWORD, "a cardiologist with a year of patients"),
    DemoAccount("PATIENT", PATIENT_EMAIL, DEMO_PASSWORD, "a patient of that doctor"),
    DemoAccount("PATIENT", ARABIC_PATIENT_EMAIL, DEMO_PASSWORD, "another, who reads Arabic"),
    DemoAccount("DOCTOR", APPLICANT_EMAIL, DEMO_PASSWORD, "a doctor waiting for approval"),
    DemoAccount(
        "ADMIN",
        ADMIN_EMAIL,
        DEMO_PASSWORD,
        "the administrator who approves doctors; the inbox shows the second factor",
    ),
)
