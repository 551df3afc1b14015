"""What the access log tells, in sentences that the patient reads.

Pure: events and a name in, text out. Each kind of act has a sentence of its own, so that a
language may order its words as it likes; what was looked at is a list of things, counted where
there can be several. A name stands between marks that keep its direction to itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy, pgettext

from audit.models import AccessEvent
from connections.models import DataCategory

Action, Basis = AccessEvent.Action, AccessEvent.Basis
# FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE.
ISOLATED = "\u2068%s\u2069"


@dataclass(frozen=True, slots=True)
class Thing:
    """What can be looked at: `all` or the list of it, and where there are several, `some`."""

    all: Any
    some: Any = None


THINGS: dict[str, Thing] = {
    DataCategory.FACTS: Thing(
        gettext_lazy("the facts about you (birth date, sex, blood type, height and weight)"),
    ),
    DataCategory.ALLERGIES: Thing(gettext_lazy("your allergies")),
    DataCategory.CONDITIONS: Thing(gettext_lazy("your chronic conditions")),
    DataCategory.MEDICATIONS: Thing(gettext_lazy("the medicines you take")),
    DataCategory.EMERGENCY_CONTACTS: Thing(gettext_lazy("your emergency contacts")),
    DataCategory.PRESCRIPTIONS: Thing(
        gettext_lazy("the list of your prescriptions"),
        ngettext_lazy("a prescription of yours", "%(count)s prescriptions of yours", "count"),
    ),
    DataCategory.LAB_RESULT: Thing(
        gettext_lazy("the list of your lab results"),
        ngettext_lazy("a lab result of yours", "%(count)s lab results of yours", "count"),
    ),
    DataCategory.IMAGING: Thing(
        gettext_lazy("the list of your images and scans"),
        ngettext_lazy("an image or scan of yours", "%(count)s images or scans of yours", "count"),
    ),
    DataCategory.PRESCRIPTION_SCAN: Thing(
        gettext_lazy("the list of your older prescriptions on paper"),
        ngettext_lazy(
            "an older prescription of yours on paper",
            "%(count)s older prescriptions of yours on paper",
            "count",
        ),
    ),
    DataCategory.REPORT: Thing(
        gettext_lazy("the list of your reports"),
        ngettext_lazy("a report of yours", "%(count)s reports of yours", "count"),
    ),
    DataCategory.VACCINATION: Thing(
        gettext_lazy("the list of your vaccinations"),
        ngettext_lazy("a vaccination of yours", "%(count)s vaccinations of yours", "count"),
    ),
    DataCategory.OTHER: Thing(
        gettext_lazy("the list of your other documents"),
        ngettext_lazy("a document of yours", "%(count)s documents of yours", "count"),
    ),
    "REQUEST": Thing(
        gettext_lazy("your requests to connect"),
        ngettext_lazy(
            "a request of yours to connect", "%(count)s requests of yours to connect", "count"
        ),
    ),
    "CONNECTION": Thing(gettext_lazy("how you are connected")),
    "GRANT": Thing(gettext_lazy("what you share")),
    "PROFILE": Thing(gettext_lazy("what you told of yourself")),
    "EXPORT": Thing(gettext_lazy("a copy of all your data")),
    "QUESTION": Thing(
        gettext_lazy("your questions about accesses"),
        ngettext_lazy(
            "a question of yours about an access",
            "%(count)s questions of yours about accesses",
            "count",
        ),
    ),
    "": Thing(gettext_lazy("your data")),
}
# What an object is, where the event names no category.
OBJECTS: dict[str, str] = {
    "prescriptions.prescription": DataCategory.PRESCRIPTIONS,
    "prescriptions.dispenseclaim": DataCategory.PRESCRIPTIONS,
    "connections.connectionrequest": "REQUEST",
    "connections.connection": "CONNECTION",
    "connections.accessgrant": "GRANT",
    "accounts.patientprofile": "PROFILE",
    "accounts.dataexport": "EXPORT",
    "audit.accesscase": "QUESTION",
}
ORDER = list(THINGS)
# Read by one of these, a kind of data is read as a whole: the chart, or a list.
WHOLES = {"connections.accessgrant", "connections.connection"}

LOOKED: dict[str, Any] = {
    Basis.SELF: gettext_lazy("You looked at %(what)s."),
    Basis.GRANT: gettext_lazy("%(who)s looked at %(what)s, because you share this."),
    Basis.AUTHOR: gettext_lazy("%(who)s looked at %(what)s, having written this."),
    Basis.CARE: gettext_lazy(
        "%(who)s looked at %(what)s, because you are connected, or asked to be."
    ),
    Basis.ADMINISTRATION: gettext_lazy(
        "%(who)s looked at %(what)s, as an administrator of MediSync."
    ),
    Basis.QR: gettext_lazy("%(who)s looked at %(what)s, by the code printed on it."),
}
DOWNLOADED: dict[str, Any] = {
    Basis.SELF: gettext_lazy("You downloaded %(what)s."),
    Basis.GRANT: gettext_lazy("%(who)s downloaded %(what)s, because you share this."),
    Basis.AUTHOR: gettext_lazy("%(who)s downloaded %(what)s, having written this."),
    Basis.CARE: gettext_lazy(
        "%(who)s downloaded %(what)s, because you are connected, or asked to be."
    ),
    Basis.ADMINISTRATION: gettext_lazy(
        "%(who)s downloaded %(what)s, as an administrator of MediSync."
    ),
    Basis.QR: gettext_lazy("%(who)s downloaded %(what)s, by the code printed on it."),
}
READINGS: dict[str, dict[str, Any]] = {
    Action.READ: LOOKED,
    Action.LISTED: LOOKED,
    Action.DOWNLOADED: DOWNLOADED,
}


@dataclass(frozen=True, slots=True)
class Act:
    """What is said of it when somebody else did it, and when the patient did."""

    others: Any
    own: Any


ACTS: dict[str, Act] = {
    Action.CONNECTED: Act(
        gettext_lazy("%(who)s connected with you."), gettext_lazy("You connected with a doctor.")
    ),
    Action.CONNECTION_ENDED: Act(
        gettext_lazy("%(who)s ended the connection with you."),
        gettext_lazy("You ended the connection with a doctor."),
    ),
    Action.ISSUED: Act(
        ngettext_lazy(
            "%(who)s issued a prescription for you.",
            "%(who)s issued %(count)s prescriptions for you.",
            "count",
        ),
        gettext_lazy("You issued a prescription for yourself."),
    ),
    Action.VERIFIED: Act(
        ngettext_lazy(
            "%(who)s checked whether a prescription of yours is genuine.",
            "%(who)s checked whether %(count)s prescriptions of yours are genuine.",
            "count",
        ),
        gettext_lazy("You checked whether a prescription of yours is genuine."),
    ),
    Action.REQUESTED: Act(
        gettext_lazy("%(who)s asked to connect with you."),
        gettext_lazy("You asked a doctor to connect with you."),
    ),
    Action.REQUEST_ACCEPTED: Act(
        gettext_lazy("%(who)s accepted your request to connect."),
        gettext_lazy("You accepted a request to connect."),
    ),
    Action.REQUEST_REJECTED: Act(
        gettext_lazy("%(who)s declined your request to connect."),
        gettext_lazy("You declined a request to connect."),
    ),
    Action.REQUEST_CANCELLED: Act(
        gettext_lazy("%(who)s withdrew a request to connect."),
        gettext_lazy("You withdrew your request to connect."),
    ),
    Action.REQUEST_EXPIRED: Act(
        gettext_lazy("A request of yours to connect was not answered in time."),
        gettext_lazy("You let a request to connect lapse."),
    ),
    Action.BLOCKED: Act(
        gettext_lazy("%(who)s ended the contact with you."),
        gettext_lazy("You blocked a doctor."),
    ),
    Action.UNBLOCKED: Act(
        gettext_lazy("%(who)s allows contact with you again."),
        gettext_lazy("You took back that you block a doctor."),
    ),
    Action.GRANTED: Act(
        gettext_lazy("%(who)s was let see some of your data."),
        gettext_lazy("You chose what a doctor sees of your data."),
    ),
    Action.GRANT_REVOKED: Act(
        gettext_lazy("%(who)s ended that a doctor sees your data."),
        gettext_lazy("You took back what a doctor saw of your data."),
    ),
    Action.GRANT_RENEWED: Act(
        gettext_lazy("%(who)s was again let see some of your data."),
        gettext_lazy("You confirmed what a doctor sees of your data."),
    ),
    Action.AMENDED: Act(
        gettext_lazy("%(who)s replaced a prescription of yours by another version."),
        gettext_lazy("You replaced a prescription of your own."),
    ),
    Action.STOPPED: Act(
        gettext_lazy("%(who)s stopped a prescription of yours."),
        gettext_lazy("You stopped a prescription of your own."),
    ),
    Action.CHECKED: Act(
        gettext_lazy(
            "%(who)s had a medicine compared with your allergies and medicines before "
            "prescribing it."
        ),
        gettext_lazy("You had a medicine compared with your allergies and medicines."),
    ),
    Action.PIN_REFUSED: Act(
        ngettext_lazy(
            "%(who)s entered a wrong PIN for a prescription of yours.",
            "%(who)s entered wrong PINs for %(count)s prescriptions of yours.",
            "count",
        ),
        gettext_lazy("You entered a wrong PIN for a prescription of your own."),
    ),
    Action.CLAIMED: Act(
        gettext_lazy("%(who)s took up a prescription of yours to dispense it, with your PIN."),
        gettext_lazy("You took up a prescription of your own."),
    ),
    Action.DISPENSED: Act(
        gettext_lazy("%(who)s dispensed medicines of a prescription of yours."),
        gettext_lazy("You dispensed a prescription of your own."),
    ),
    Action.DISPENSE_WITHDRAWN: Act(
        gettext_lazy("%(who)s took back what was dispensed of a prescription of yours."),
        gettext_lazy("You took back what was dispensed of a prescription of your own."),
    ),
    Action.RELEASED: Act(
        gettext_lazy("%(who)s gave a prescription of yours back, or had held it long enough."),
        gettext_lazy("You gave a prescription of your own back."),
    ),
    Action.CODE_REISSUED: Act(
        gettext_lazy("%(who)s replaced the code of a prescription of yours."),
        gettext_lazy("You made another code and PIN for a prescription."),
    ),
    Action.REFILL_REQUESTED: Act(
        gettext_lazy("%(who)s asked for a prescription of yours again."),
        gettext_lazy("You asked a doctor to prescribe the same again."),
    ),
    Action.REFILL_DECLINED: Act(
        gettext_lazy("%(who)s declined to prescribe the same again."),
        gettext_lazy("You declined to prescribe the same again."),
    ),
    Action.EMERGENCY_OPENED: Act(
        gettext_lazy("%(who)s opened it."),
        gettext_lazy("You opened your own emergency card."),
    ),
    Action.CARD_ISSUED: Act(
        gettext_lazy("%(who)s made a health card of a prescription of yours."),
        gettext_lazy("You made a health card of a prescription."),
    ),
    Action.LINK_MADE: Act(
        gettext_lazy("%(who)s made a link to your data."),
        gettext_lazy("You made a link to your data."),
    ),
    Action.LINK_OPENED: Act(
        gettext_lazy("%(who)s opened a link to your data."),
        gettext_lazy("You opened a link to your data."),
    ),
    Action.LINK_REFUSED: Act(
        ngettext_lazy(
            "%(who)s entered a wrong passcode for a link to your data.",
            "%(who)s entered wrong passcodes for %(count)s links to your data.",
            "count",
        ),
        gettext_lazy("You entered a wrong passcode for a link to your data."),
    ),
    Action.LINK_REVOKED: Act(
        gettext_lazy("%(who)s withdrew a link to your data."),
        gettext_lazy("You withdrew a link to your data."),
    ),
}


def sentences(events: Iterable[AccessEvent], *, who: str) -> list[str]:
    """What one person did, a sentence to each kind of act, in the order they come in."""
    kinds: dict[Hashable, list[AccessEvent]] = {}
    for event in events:
        kinds.setdefault(_kind(event), []).append(event)
    return [_sentence(alike, ISOLATED % who) for alike in kinds.values()]


def sentence(event: AccessEvent, *, who: str) -> str:
    """What one act was."""
    return sentences([event], who=who)[0]


def _kind(event: AccessEvent) -> Hashable:
    """Those that one sentence tells together."""
    reading = READINGS.get(event.action)
    if reading is not None:
        return id(reading), event.basis
    return event.action, event.basis == Basis.SELF


def _sentence(alike: Sequence[AccessEvent], who: str) -> str:
    event, count = alike[0], len({event.object_id for event in alike})
    reading = READINGS.get(event.action)
    if reading is not None:
        return str(reading[event.basis]) % {"who": who, "what": _joined(_things(alike))}
    act = ACTS[event.action]
    text = act.own if event.basis == Basis.SELF else act.others
    return str(text % {"who": who, "count": count})


def _things(events: Iterable[AccessEvent]) -> list[str]:
    """What was looked at, in the order of the catalogue; each once, with how many."""
    seen: dict[tuple[int, bool], set[Any]] = {}
    for event in events:
        code = event.category or OBJECTS.get(event.object_type, "")
        place = ORDER.index(code if code in THINGS else "")
        is_some = event.action != Action.LISTED and event.object_type not in WHOLES
        seen.setdefault((place, is_some), set()).add(event.object_id)
    return [
        _phrase(THINGS[ORDER[place]], len(ids) if is_some else 0)
        for (place, is_some), ids in sorted(seen.items())
    ]


def _phrase(thing: Thing, count: int) -> str:
    if thing.some is None or not count:
        return str(thing.all)
    return str(thing.some % {"count": count})


def _joined(parts: Sequence[str]) -> str:
    *first, last = dict.fromkeys(parts)
    if not first:
        return last
    comma = pgettext("between the things of a list", ", ")
    return _("%(things)s and %(last)s") % {"things": comma.join(first), "last": last}
