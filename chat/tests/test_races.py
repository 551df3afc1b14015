"""Whatever happens in a chat at once, nothing is lost, doubled or said too late. Each race is run
without its guard, too, to show that it would notice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, OperationalError, connections, transaction
from django.http import Http404

from accounts.models import User
from accounts.tests.factories import AdminFactory
from chat.models import Chat, Message, Participant
from chat.services import holding, messages
from chat.services.chats import open_chat
from chat.services.messages import retract_message
from chat.services.places import mark_delivered, mark_read
from chat.tests.factories import chat_of, place_of, say
from common.errors import DomainError
from connections.models import Connection, DataCategory
from connections.services.connections import block, end_connection
from connections.services.grants import Sharing, set_grant
from connections.tests.factories import ConnectionFactory
from medisync.anonymise import anonymise_everywhere
from medisync.tests.client import sign_in
from medisync.tests.interleaving import Player, stage
from medisync.tests.races import PATIENCE_SECONDS, Racer, errors, no_row_locks, race  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)
Act = Callable[[], Any]


def seqs(chat: Chat) -> list[int]:
    return sorted(Message.objects.filter(chat=chat).values_list("seq", flat=True))


class TestManySpeakAtOnce:
    def acts(self, chat: Chat) -> list[Act]:
        people = [chat.connection.patient, chat.connection.doctor] * 4
        return [partial(say, chat, person) for person in people]

    def test_each_gets_a_number_of_its_own_and_none_is_left_out(self, chat: Chat) -> None:
        racers = race(*self.acts(chat), gate=Chat)

        assert errors(racers) == [""] * 8
        assert sorted(racer.value.seq for racer in racers) == seqs(chat) == [*range(1, 9)]
        assert Chat.objects.get().last_seq == 8

    @pytest.mark.usefixtures("no_row_locks")
    def test_without_the_lock_all_but_one_would_fail(self, chat: Chat) -> None:
        racers = race(*self.acts(chat), gate=Chat)

        assert sorted(errors(racers)) == ["", *["IntegrityError"] * 7]


@pytest.fixture
def _many_speakers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what the same person says elsewhere."""
    monkeypatch.setattr(messages, "lock_speaker", lambda actor: None)


class TestSameMessageFromTwoRequests:
    def acts(self, chat: Chat) -> list[Act]:
        return [partial(say, chat, chat.connection.patient, client_id=uuid4())] * 2

    def test_is_one(self, chat: Chat) -> None:
        racers = race(*self.acts(chat), gate=Chat)

        assert errors(racers) == ["", ""]
        assert racers[0].value == racers[1].value == Message.objects.get()

    @pytest.mark.usefixtures("no_row_locks", "_many_speakers")
    def test_without_the_locks_one_would_fail(self, chat: Chat) -> None:
        assert sorted(errors(race(*self.acts(chat), gate=Chat))) == ["", "IntegrityError"]


class TestOnePersonSpeaksInTwoChats:
    """They hold different chats, so that no row lock makes one wait for the other."""

    def acts(self, chat: Chat, *client_ids: UUID) -> list[Act]:
        doctor = chat.connection.doctor
        chats = [chat, chat_of(ConnectionFactory(doctor=doctor))]
        return [
            partial(say, one, doctor, client_id=client_id)
            for one, client_id in zip(chats, client_ids, strict=True)
        ]

    def test_one_client_id_is_used_once(self, chat: Chat) -> None:
        racers = race(*self.acts(chat, *[uuid4()] * 2), gate=Chat)

        assert sorted(errors(racers)) == ["", "ClientIdUsed"]
        assert Message.objects.count() == 1
        assert sorted(Chat.objects.values_list("last_seq", flat=True)) == [0, 1]

    @pytest.mark.usefixtures("_many_speakers")
    def test_without_the_lock_the_constraint_would_say_so(self, chat: Chat) -> None:
        racers = race(*self.acts(chat, *[uuid4()] * 2), gate=Chat)

        assert sorted(errors(racers)) == ["", "IntegrityError"]

    def last_of_the_minute(self, chat: Chat, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Two things said at once, when one more may be said."""
        monkeypatch.setattr(messages, "MOST_A_MINUTE", 1)
        return sorted(errors(race(*self.acts(chat, uuid4(), uuid4()), gate=Chat)))

    def test_they_are_counted_together(self, chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.last_of_the_minute(chat, monkeypatch) == ["", "TooManyRequests"]

    @pytest.mark.usefixtures("_many_speakers")
    def test_without_the_lock_they_would_say_too_much(
        self, chat: Chat, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.last_of_the_minute(chat, monkeypatch) == ["", ""]


def ending(chat: Chat) -> Act:
    return partial(end_connection, actor=chat.connection.doctor, connection_id=chat.connection_id)


def blocking(chat: Chat) -> Act:
    return partial(block, actor=chat.connection.doctor, person_id=chat.patient_id)


@pytest.mark.parametrize("parting", [ending, blocking], ids=lambda act: act.__name__)
class TestSpeakingWhileTheOtherParts:
    def test_what_begins_first_is_kept_and_they_part_after_it(
        self, chat: Chat, parting: Callable[[Chat], Act]
    ) -> None:
        saying, ended = race(partial(say, chat, chat.connection.patient), parting(chat), gate=Chat)

        assert errors([saying, ended]) == ["", ""]
        assert (saying.place, ended.place) == (1, 2)

    def test_what_begins_after_it_is_refused(
        self, chat: Chat, parting: Callable[[Chat], Act]
    ) -> None:
        _ended, saying = race(
            parting(chat), partial(say, chat, chat.connection.patient), gate=Connection
        )

        assert errors([saying]) == ["ConnectionEnded"]
        assert seqs(chat) == []

    @pytest.mark.usefixtures("no_row_locks")
    def test_without_the_lock_something_would_be_said_after_the_end(
        self, chat: Chat, parting: Callable[[Chat], Act]
    ) -> None:
        saying, ended = race(partial(say, chat, chat.connection.patient), parting(chat), gate=Chat)

        assert (saying.place, ended.place) == (2, 1)
        assert seqs(chat) == [1]


class TestWithdrawnTwiceAtOnce:
    @pytest.fixture
    def acts(self, chat: Chat, patient: User) -> list[Act]:
        said = say(chat, patient)
        return [partial(retract_message, actor=patient, message_id=said.pk)] * 2

    def test_it_is_withdrawn_once(self, chat: Chat, acts: list[Act]) -> None:
        assert sorted(errors(race(*acts, gate=Chat))) == ["", "AlreadyRetracted"]
        assert seqs(chat) == [1, 2]

    @pytest.mark.usefixtures("no_row_locks")
    def test_without_the_lock_the_second_would_be_a_conflict_of_numbers(
        self, acts: list[Act]
    ) -> None:
        assert sorted(errors(race(*acts, gate=Chat))) == ["", "IntegrityError"]


class TestOpenedTwiceAtOnce:
    def acts(self, connection: Connection) -> list[Act]:
        return [
            partial(open_chat, actor=person, connection_id=connection.pk)
            for person in (connection.patient, connection.doctor)
        ]

    def test_it_is_one_chat_of_two(self, connection: Connection) -> None:
        racers = race(*self.acts(connection), gate=Chat)

        assert errors(racers) == ["", ""]
        assert racers[0].value == racers[1].value == Chat.objects.get()
        assert Participant.objects.count() == 2

    def test_asking_before_making_would_not_be_enough(self, connection: Connection) -> None:
        def naive() -> None:
            if not Chat.objects.filter(connection=connection).exists():
                Chat.objects.create(connection=connection)

        assert sorted(errors(race(naive, naive, gate=Chat))) == ["", "IntegrityError"]

    def test_none_is_made_by_who_begins_after_the_end(self, connection: Connection) -> None:
        _ended, opened = race(
            partial(end_connection, actor=connection.doctor, connection_id=connection.pk),
            self.acts(connection)[0],
            gate=Connection,
        )

        assert errors([opened]) == ["ConnectionEnded"]
        assert not Chat.objects.exists()

    @pytest.mark.usefixtures("no_row_locks")
    def test_without_the_lock_one_would_be_made_after_it(self, connection: Connection) -> None:
        ending = partial(end_connection, actor=connection.doctor, connection_id=connection.pk)

        opened, ended = race(self.acts(connection)[0], ending, gate=Chat)

        assert (ended.place, opened.place, opened.error) == (1, 2, None)


class TestTwoDevicesReadAtOnce:
    @pytest.fixture(autouse=True)
    def _said(self, chat: Chat, patient: User) -> None:
        for _ in range(5):
            say(chat, patient)

    @pytest.mark.parametrize("order", [(3, 5), (5, 3), (5, 5)], ids=str)
    @pytest.mark.parametrize("mark", [mark_read, mark_delivered], ids=lambda verb: verb.__name__)
    def test_place_is_the_furthest(
        self, chat: Chat, doctor: User, mark: Any, order: tuple[int, int]
    ) -> None:
        acts = [partial(mark, actor=doctor, chat_id=chat.pk, seq=seq) for seq in order]

        racers = race(*acts, gate=Participant)

        assert errors(racers) == ["", ""]
        assert place_of(chat, doctor)[0] == 5

    def test_read_and_delivered_do_not_undo_one_another(self, chat: Chat, doctor: User) -> None:
        reading = partial(mark_read, actor=doctor, chat_id=chat.pk, seq=3)
        arriving = partial(mark_delivered, actor=doctor, chat_id=chat.pk, seq=5)

        assert errors(race(reading, arriving, gate=Participant)) == ["", ""]
        assert place_of(chat, doctor) == (5, 3, 0)

    def test_reading_before_writing_would_go_back(self, chat: Chat, doctor: User) -> None:
        """What the condition in the UPDATE is for; the trigger refuses it all the same."""

        def read() -> Participant:
            return Participant.objects.get(chat=chat, user=doctor)

        def write(place: Participant, seq: int) -> None:
            place.last_read_seq = place.last_delivered_seq = seq
            place.save()

        first, second = read(), read()
        write(first, 5)

        with pytest.raises(DatabaseError, match="What was read stays read"):
            write(second, 3)


class TestSpeakingToSomebodyWhoIsAnonymised:
    """The verbs stop after each of their statements in turn, and the anonymising is let go."""

    def play(self, who: str) -> list[list[Player]]:
        played = []
        with stage(2) as made:
            for statements in range(1, 12):
                chat = chat_of(ConnectionFactory())
                set_grant(
                    actor=chat.connection.patient,
                    connection_id=chat.connection_id,
                    sharing=Sharing(categories=[DataCategory.PRESCRIPTIONS]),
                )
                session, person = sign_in(AdminFactory()), getattr(chat.connection, who)
                acts = [
                    partial(say, chat, chat.connection.patient),
                    partial(
                        anonymise_everywhere,
                        session=session,
                        user_id=person.pk,
                        email=person.email,
                        reason="Asked in writing.",
                    ),
                ]
                players = made.play(acts, turns=[statements])
                played.append([player.error for player in players])
        return played

    @pytest.mark.parametrize("who", ["patient", "doctor"])
    def test_either_comes_to_its_end(self, who: str) -> None:
        for saying, forgetting in self.play(who):
            assert forgetting is None
            assert saying is None or isinstance(saying, DomainError), saying

    def test_without_the_first_lock_they_would_wait_for_each_other(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unlocked = holding.KEPT.replace("FOR KEY SHARE OF person", "")
        monkeypatch.setattr(holding, "KEPT", unlocked)

        outcomes = self.play("patient")

        assert any(isinstance(error, OperationalError) for pair in outcomes for error in pair)


def test_a_stranger_waits_for_nobody(chat: Chat, stranger: User) -> None:
    """Who is neither of the two locks neither, so holds nobody up with whatever they send."""

    def refused() -> None:
        try:
            with pytest.raises(Http404):
                say(chat, stranger)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as another, transaction.atomic():
        User.objects.select_for_update().get(pk=chat.patient_id)

        another.submit(refused).result(PATIENCE_SECONDS)
