"""What was said in a clinic's year, by those who write; the database numbers entry by entry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from uuid import UUID

from accounts.models import User
from chat.models import CannedReply, Chat, Message, Participant
from chat.services.places import DELIVERED, READ
from connections.models import Connection
from medisync.demo import ARABIC_PATIENT_EMAIL, PATIENT_EMAIL
from medisync.demo.chance import dice, shortly_after, uuid7_at, working_instant
from medisync.demo.people import Clinic
from medisync.demo.talks import ANSWERED, LEFT_OPEN, PREPARED, TALKS, Said, Talk
from medisync.demo.traces import tell
from notifications.wording import Kind

# Every fourth pair writes.
WRITES = 4
TALKS_EACH = (1, 1, 2, 3)
LAST = {PATIENT_EMAIL: LEFT_OPEN, ARABIC_PATIENT_EMAIL: ANSWERED}
DAY = dt.timedelta(days=1)
MINUTES_TO_ANSWER = 45


class _Told:
    """One chat in the making: what the rows that change on the way are by now."""

    def __init__(self, clinic: Clinic, connection: Connection, opened: dt.datetime) -> None:
        self.clinic, self.connection, rng = clinic, connection, clinic.rng
        self.chat = clinic.rows.add(
            Chat(id=uuid7_at(opened, rng), created_at=opened, connection=connection)
        )
        self.seq = 0
        self.awaiting: dt.datetime | None = None
        self.places = {
            person.pk: clinic.rows.add(
                Participant(
                    id=uuid7_at(opened, rng), created_at=opened, chat=self.chat, user=person
                )
            )
            for person in (connection.patient, connection.doctor)
        }

    def say(self, said: Said, at: dt.datetime) -> None:
        pair = self.connection
        sender = pair.doctor if said.by_doctor else pair.patient
        text = getattr(said.text, pair.patient.language)
        message = self._entry(sender, at, content=text)
        if said.is_withdrawn:
            kind, soon = Message.Kind.RETRACTION, at + dt.timedelta(seconds=20)
            self._entry(sender, soon, kind=kind, target=message)
        elif said.by_doctor:
            self.awaiting = None
        else:
            self.awaiting = self.awaiting or at
        self._come_to(sender.pk)

    def read(self, person: User) -> None:
        self._come_to(person.pk)

    def tell_of_unread(self, person: User, at: dt.datetime) -> None:
        """As the clock does two minutes after; it does not tell of it again."""
        place, rows = self.places[person.pk], self.clinic.rows
        rows.change_once_written(place, **_came_to(self.seq, DELIVERED), told_seq=self.seq)
        other, url = self.connection.other_side(person), f"/chats/{self.chat.pk}"
        tell(self.clinic, person, Kind.MESSAGE_RECEIVED, about=other, url=url, at=at)

    def end(self, at: dt.datetime) -> None:
        rows = self.clinic.rows
        rows.change_once_written(self.chat, active_at=at, awaiting_since=self.awaiting)

    def settle(self) -> None:
        """Thanks need no answer."""
        rows = self.clinic.rows
        rows.change_once_written(self.chat, settled_seq=self.seq, awaiting_since=None)

    def _entry(self, sender: User, at: dt.datetime, **said: object) -> Message:
        self.seq += 1
        rows, rng = self.clinic.rows, self.clinic.rng
        rows.change_once_written(self.chat, last_seq=self.seq)
        return rows.add_in_turn(
            Message(
                id=uuid7_at(at, rng),
                created_at=at,
                chat=self.chat,
                sender=sender,
                seq=self.seq,
                client_id=UUID(int=rng.getrandbits(128), version=4),
                **said,
            )
        )

    def _come_to(self, person_id: UUID) -> None:
        place, rows = self.places[person_id], self.clinic.rows
        rows.change_once_written(place, **_came_to(self.seq, DELIVERED, READ))


def _came_to(seq: int, *parts: str) -> dict[str, int]:
    """With what the other side is shown of it."""
    return {f"{side}_{part}_seq": seq for side in ("last", "shown") for part in parts}


def make_chats(clinic: Clinic, connections: Sequence[Connection], doctors: Iterable[User]) -> None:
    """Some pairs have written to each other now and then. Of the published patients one waits
    for an answer, and one has not read it yet."""
    rng = dice(clinic.world.seed, clinic.number, "said")
    clinic = Clinic(clinic.world, clinic.number, rng, clinic.rows)
    for doctor in doctors:
        _prepare(clinic, doctor)
    met: set[UUID] = set()
    for place, connection in enumerate(connections):
        last = LAST.get(connection.patient.email)
        is_published = last is not None and connection.patient_id not in met
        met.add(connection.patient_id)
        if is_published or place % WRITES == 0:
            _converse(clinic, connection, last if is_published else None)


def _prepare(clinic: Clinic, doctor: User) -> None:
    for title, content in PREPARED:
        clinic.rows.add(
            CannedReply(
                id=uuid7_at(doctor.created_at, clinic.rng),
                created_at=doctor.created_at,
                doctor=doctor,
                title=getattr(title, doctor.language),
                content=getattr(content, doctor.language),
            )
        )


def _converse(clinic: Clinic, connection: Connection, last: Talk | None) -> None:
    rng, end = clinic.rng, clinic.world.end
    since, until = connection.connected_at or end, connection.ended_at or end
    if until - since < 3 * DAY:
        return
    latest = until - 2 * DAY
    starts = sorted(working_instant(rng, since, latest) for _ in range(rng.choice(TALKS_EACH)))
    talks = [*zip(rng.sample(TALKS, len(starts)), starts, strict=True)]
    if last is not None:
        talks.append((last, working_instant(rng, end - DAY, end - DAY / 2)))
    told, at = _Told(clinic, connection, starts[0]), starts[0]
    spoken = talks[0][0].messages[0]
    for talk, start in talks:
        at = max(at, start)
        for said in talk.messages:
            at = shortly_after(rng, at, minutes=MINUTES_TO_ANSWER)
            if at >= until:
                break
            told.say(said, at)
            spoken = said
    reader = connection.patient if spoken.by_doctor else connection.doctor
    told.end(at)
    if until - at < 2 * DAY and connection.is_active:
        told.tell_of_unread(reader, at + dt.timedelta(minutes=2))
    else:
        told.read(reader)
        told.settle()
