"""Two patients and two doctors on PostgreSQL, and their acts by the real services."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pgtrigger
from django.db import connection
from django.utils import timezone

from accounts.models import DeviceSession, Status, User
from accounts.services.users import activate_user, suspend_user
from accounts.tests.factories import AdminFactory, DoctorFactory, PatientFactory
from audit.models import AccessEvent
from audit.verification import Verification
from connections.models import AccessGrant, Connection, ConnectionRequest
from connections.services.answers import accept_request, reject_request
from connections.services.connections import block, connect, end_connection, unblock
from connections.services.grants import (
    Sharing,
    renew_grant,
    replace_grant,
    revoke_grant,
    set_grant,
)
from connections.services.requests import cancel_request, expire_requests, send_request
from connections.tests.serial import NEW, Act, Asked, Given, Pair, World
from medisync.tests.client import sign_in
from notifications.models import Notification
from prescriptions.models import Prescription
from prescriptions.services.issuing import Item, Order, issue_prescription

SIZE = 2

# Each row is something that must never be, whatever happened at the same time.
NEVER = """
    SELECT 'more than one connection of a pair' FROM connections_connection
    WHERE patient_id = ANY(%(patients)s) GROUP BY patient_id, doctor_id HAVING count(*) > 1
    UNION ALL
    SELECT 'more than one request that waits' FROM connections_connectionrequest
    WHERE patient_id = ANY(%(patients)s) AND status = 'PENDING'
    GROUP BY patient_id, doctor_id HAVING count(*) > 1
    UNION ALL
    SELECT 'a request waits although they are ' || lower(pair.status)
    FROM connections_connectionrequest AS request
    JOIN connections_connection AS pair USING (patient_id, doctor_id)
    WHERE patient_id = ANY(%(patients)s) AND request.status = 'PENDING'
        AND pair.status <> 'INACTIVE'
    UNION ALL
    SELECT 'a grant stands although they are ' || lower(pair.status)
    FROM connections_accessgrant AS shared
    JOIN connections_connection AS pair ON pair.id = connection_id
    WHERE patient_id = ANY(%(patients)s) AND shared.ended_at IS NULL
        AND pair.status <> 'ACTIVE'
    UNION ALL
    SELECT 'more than one grant stands' FROM connections_accessgrant AS shared
    JOIN connections_connection AS pair ON pair.id = connection_id
    WHERE patient_id = ANY(%(patients)s) AND shared.ended_at IS NULL
    GROUP BY connection_id HAVING count(*) > 1
    UNION ALL
    SELECT 'status and timestamps disagree' FROM connections_connection
    WHERE patient_id = ANY(%(patients)s) AND (
        (status = 'ACTIVE') <> (connected_at IS NOT NULL AND ended_at IS NULL)
        OR (status = 'BLOCKED')
            <> (coalesce(blocked_by_patient_at, blocked_by_doctor_at) IS NOT NULL)
        OR ended_at < connected_at
    )
    UNION ALL
    SELECT 'an answer without its moment' FROM connections_connectionrequest
    WHERE patient_id = ANY(%(patients)s) AND (status = 'PENDING') <> (decided_at IS NULL)
    UNION ALL
    SELECT 'an accepted request, and no connection' FROM connections_connectionrequest AS request
    LEFT JOIN connections_connection AS pair USING (patient_id, doctor_id)
    WHERE patient_id = ANY(%(patients)s) AND request.status = 'ACCEPTED'
        AND pair.connected_at IS NULL
    UNION ALL
    SELECT 'a gap in the log' FROM (
        SELECT seq, previous_hash, lag(seq, 1, 0::bigint) OVER chain AS seq_before,
            lag(hash, 1, '') OVER chain AS hash_before
        FROM audit_accessevent WHERE patient_id = ANY(%(patients)s)
        WINDOW chain AS (PARTITION BY patient_id ORDER BY seq)
    ) AS event WHERE seq <> seq_before + 1 OR previous_hash <> hash_before
"""


class Circle:
    """A world of its own for each story, so that none has to be emptied."""

    def __init__(self) -> None:
        self.people: dict[str, UUID] = {}
        for number in range(SIZE):
            self.people[f"patient {number}"] = PatientFactory().pk
            self.people[f"doctor {number}"] = DoctorFactory().pk
        self.names = {pk: name for name, pk in self.people.items()}
        self.session_id = sign_in(AdminFactory()).pk
        self.month = timezone.now() + dt.timedelta(days=30)
        self.heard: set[UUID] = set()
        self.written: dict[UUID, int] = {}

    @property
    def patients(self) -> list[UUID]:
        return [self.people[f"patient {number}"] for number in range(SIZE)]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        return [(patient, doctor) for patient in range(SIZE) for doctor in range(SIZE)]

    # --- Acting ---------------------------------------------------------------------------

    def performance(self, act: Act) -> Callable[[], object]:
        """The act, to be called in a thread: everybody is read there, as a request does."""
        return partial(self._perform, act)

    def _perform(self, act: Act) -> None:
        verbs: dict[str, Callable[[Act], object]] = {
            "send": lambda act: send_request(
                actor=self._actor(act), doctor_id=self._id(act, "doctor"),
                sharing=self._sharing(act),
            ),
            "cancel": lambda act: cancel_request(
                actor=self._actor(act), request_id=_or_none(act.request)
            ),
            "accept": lambda act: accept_request(
                actor=self._actor(act), request_id=_or_none(act.request)
            ),
            "reject": lambda act: reject_request(
                actor=self._actor(act), request_id=_or_none(act.request), reason="Too far away."
            ),
            "expire": lambda act: expire_requests(timezone.now()),
            "connect": lambda act: connect(
                actor=self._actor(act), doctor_id=self._id(act, "doctor"),
                origin=Connection.Origin.QR, sharing=self._sharing(act),
            ),
            "end": lambda act: end_connection(
                actor=self._actor(act), connection_id=_or_none(act.connection)
            ),
            "block": lambda act: block(
                actor=self._actor(act),
                person_id=self._id(act, "patient" if act.by == "doctor" else "doctor"),
            ),
            "unblock": lambda act: unblock(
                actor=self._actor(act), connection_id=_or_none(act.connection)
            ),
            "grant": lambda act: set_grant(
                actor=self._actor(act), connection_id=_or_none(act.connection),
                sharing=self._sharing(act),
            ),
            "replace": lambda act: replace_grant(
                actor=self._actor(act), grant_id=_or_none(act.grant), sharing=self._sharing(act)
            ),
            "renew": lambda act: renew_grant(actor=self._actor(act), grant_id=_or_none(act.grant)),
            "revoke": lambda act: revoke_grant(
                actor=self._actor(act), grant_id=_or_none(act.grant)
            ),
            "issue": lambda act: issue_prescription(
                actor=self._actor(act),
                connection_id=_or_none(act.connection),
                order=Order(items=[_mixture()]),
            ),
            "suspend": lambda act: suspend_user(
                session=self._session(), user_id=self._id(act, act.by), reason="A complaint."
            ),
            "reopen": lambda act: activate_user(
                session=self._session(), user_id=self._id(act, act.by), reason="It was unfounded."
            ),
        }  # fmt: skip
        verbs[act.verb](act)

    def _id(self, act: Act, side: str) -> UUID:
        return self.people[act.person(side)]

    def _actor(self, act: Act) -> User:
        return User.objects.get(pk=self._id(act, act.by))

    def _session(self) -> DeviceSession:
        return DeviceSession.objects.select_related("user").get(pk=self.session_id)

    def _sharing(self, act: Act) -> Sharing:
        return {
            "nothing": Sharing(),
            "facts": Sharing(("FACTS",)),
            "more": Sharing(("FACTS", "LAB_RESULT")),
            "month": Sharing(("FACTS",), ends_at=self.month),
        }[act.sharing]

    def let_time_pass(self, pair: tuple[int, int], *, what: str) -> None:
        """Of the two, what has an end has passed it: the request that waits for an answer, what
        it would share, or what is shared."""
        past = timezone.now() - dt.timedelta(minutes=1)
        people = self._people_of(pair)
        requests = ConnectionRequest.objects.pending().filter(**people)
        if what == "request":
            requests.update(expires_at=past)
        elif what == "wish":
            requests.filter(ends_at__isnull=False).update(ends_at=past)
        else:
            grants = AccessGrant.objects.standing().filter(ends_at__isnull=False)
            with pgtrigger.ignore("connections.AccessGrant:keeps_its_terms"):
                grants.filter(connection__in=Connection.objects.filter(**people)).update(
                    ends_at=past
                )

    def _people_of(self, pair: tuple[int, int]) -> dict[str, UUID]:
        return {
            "patient": self.people[f"patient {pair[0]}"],
            "doctor": self.people[f"doctor {pair[1]}"],
        }

    # --- Looking --------------------------------------------------------------------------

    def named(self, pair: tuple[int, int]) -> dict[str, Any]:
        """The newest row of each kind that the two have."""
        people = self._people_of(pair)
        connections = Connection.objects.filter(**people)
        return {
            "connection": _newest(connections),
            "request": _newest(ConnectionRequest.objects.filter(**people)),
            "grant": _newest(AccessGrant.objects.filter(connection__in=connections)),
        }

    def world(self) -> World:
        """How everybody stands, and what was written and told since the last look."""
        world = World({pair: Pair() for pair in self.pairs})
        self._read_connections(world)
        self._read_requests(world)
        self._read_grants(world)
        for row in Prescription.objects.filter(patient__in=self.patients):
            self._pair(world, row).issued += 1
        closed = User.objects.filter(pk__in=self.names, status=Status.SUSPENDED)
        world.closed = {self.names[pk] for pk in closed.values_list("pk", flat=True)}
        self._read_log(world)
        self._read_notifications(world)
        return world

    def _pair(self, world: World, row: Any) -> Pair:
        patient, doctor = self.names[row.patient_id], self.names[row.doctor_id]
        return world.pairs[int(patient[-1]), int(doctor[-1])]

    def _read_connections(self, world: World) -> None:
        for row in Connection.objects.filter(patient__in=self.patients):
            pair = self._pair(world, row)
            pair.status, pair.origin = row.status, row.origin
            moments = {"patient": row.blocked_by_patient_at, "doctor": row.blocked_by_doctor_at}
            pair.blocked_by = {side for side, at in moments.items() if at}

    def _read_requests(self, world: World) -> None:
        now = timezone.now()
        for row in ConnectionRequest.objects.pending().filter(patient__in=self.patients):
            asked = Asked(row.pk, self._choice(row), is_overdue=not row.is_open(now))
            self._pair(world, row).asked = asked
        for row in ConnectionRequest.objects.filter(patient__in=self.patients):
            self._pair(world, row).has_asked = True

    def _read_grants(self, world: World) -> None:
        grants = AccessGrant.objects.standing().select_related("connection")
        for row in grants.filter(connection__patient__in=self.patients):
            self._pair(world, row.connection).given = Given(row.pk, self._choice(row))

    def _choice(self, terms: AccessGrant | ConnectionRequest) -> str:
        if terms.ends_at is None:
            return {0: "nothing", 1: "facts", 2: "more"}[len(terms.categories)]
        if terms.ends_at <= timezone.now():
            return "over"
        return "month" if terms.ends_at == self.month else "renewed"

    def _read_log(self, world: World) -> None:
        for number, patient in enumerate(self.patients):
            events = AccessEvent.objects.filter(
                patient_id=patient, seq__gt=self.written.get(patient, 0)
            ).order_by("seq")
            for event in events:
                who = self.names.get(event.actor_id, "")
                world.log.setdefault(number, []).append((event.action, who))
                self.written[patient] = event.seq

    def _read_notifications(self, world: World) -> None:
        rows = Notification.objects.filter(recipient__in=self.names).exclude(pk__in=self.heard)
        world.told = Counter((row.kind, self.names[row.recipient_id]) for row in rows)
        self.heard.update(row.pk for row in rows)

    def violations(self) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(NEVER, {"patients": self.patients})
            return [what for (what,) in cursor.fetchall()]

    def log_findings(self) -> list[str]:
        """What `verify_audit` would say of these patients."""
        return [
            str(finding)
            for patient in self.patients
            for finding in Verification(patient_id=patient).findings()
        ]

    def leave(self) -> None:
        """Nothing of this story is overdue in another."""
        mine = ConnectionRequest.objects.pending().filter(patient__in=self.patients)
        mine.update(expires_at=timezone.now() + dt.timedelta(days=30))


def fresh(world: World, before: World) -> World:
    """The same, with what has come since named as the story names it."""
    renamed = world.copy()
    for people, pair in renamed.pairs.items():
        stood = before.pairs[people]
        if pair.asked and (stood.asked is None or pair.asked.id != stood.asked.id):
            pair.asked = replace(pair.asked, id=NEW)
        if pair.given and (stood.given is None or pair.given.id != stood.given.id):
            pair.given = replace(pair.given, id=NEW)
    return renamed


def _newest(rows: Any) -> UUID | None:
    found: UUID | None = rows.order_by("-pk").values_list("pk", flat=True).first()
    return found


def _mixture() -> Item:
    """A medicine that nobody has had before, and of which the safety check so knows nothing."""
    return Item(medicine=f"Mixture {uuid4().hex}", as_needed=True, quantity=20)


def _or_none(pk: UUID | None) -> UUID:
    return pk or uuid4()
