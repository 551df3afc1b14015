"""Conversations on pages: who sees what, and every verb without JavaScript."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import PatientFactory
from chat.models import Absence, CannedReply, Chat, Message, Participant
from chat.models.chats import MOST_SEQ
from chat.services.help import save_reply, set_absence
from chat.services.messages import retract_message
from chat.services.places import mark_read
from chat.services.reading import LONGEST_QUERY
from chat.tests.factories import chat_of, place_of, say
from chat.views.shown import SHOWN
from common.clock import clinic_date
from connections.models import Connection
from connections.services.connections import end_connection
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import page_client
from prescriptions.models import Prescription
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
LIST = "/chats"
FETCH = {"X-Requested-With": "fetch"}


@pytest.fixture
def chat(connection: Connection) -> Chat:
    return chat_of(connection)


def url(chat: Chat, verb: str = "") -> str:
    return f"/chats/{chat.pk}{verb}"


def text(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def sent(client: Client, chat: Chat, content: str, **more: Any) -> Any:
    return client.post(url(chat, "/send"), {"content": content, "client_id": str(uuid4()), **more})


# --- The lists -----------------------------------------------------------


def test_empty_lists_say_what_to_do_next(patient: User, doctor: User) -> None:
    assert "Open one of your doctors" in text(page_client(patient), LIST)
    assert "Open a patient and choose" in text(page_client(doctor), LIST)
    assert "Nobody waits for your answer" in text(page_client(doctor), f"{LIST}?show=awaiting")


def test_doctor_sees_the_longest_waiting_first(doctor: User) -> None:
    first, second, third = (
        chat_of(ConnectionFactory(patient=PatientFactory(first_name=name), doctor=doctor))
        for name in ("Amal", "Basma", "Celia")
    )
    say(first, first.connection.patient)
    say(second, second.connection.patient)
    say(third, third.connection.patient)
    say(third, doctor)

    browser = page_client(doctor)
    everybody, awaiting = text(browser, LIST), text(browser, f"{LIST}?show=awaiting")

    assert re.findall(r"<bdi>(Amal|Basma|Celia)", everybody) == ["Amal", "Basma", "Celia"]
    assert re.findall(r"<bdi>(Amal|Basma|Celia)", awaiting) == ["Amal", "Basma"]
    assert awaiting.count("Awaiting your reply since") == 2


@pytest.mark.parametrize("name", ["amal", "ADEL", "amal adel", "اَمل"])
def test_doctor_finds_a_patient_by_name(doctor: User, name: str) -> None:
    is_arabic = name == "اَمل"
    found = PatientFactory(first_name="أمل" if is_arabic else "Amal", last_name="Adel")
    chat_of(ConnectionFactory(patient=found, doctor=doctor))
    chat_of(ConnectionFactory(patient=PatientFactory(first_name="Basma"), doctor=doctor))

    page = page_client(doctor).get(LIST, {"name": name})

    assert [line.chat.patient_id for line in page.context["lines"]] == [found.pk]
    assert "Nobody of this name" in text(page_client(doctor), f"{LIST}?name=zzz")


def test_list_counts_what_is_unread_and_shows_the_last(
    chat: Chat, patient: User, doctor: User
) -> None:
    say(chat, doctor, "How do you feel?")
    last = say(chat, doctor, "Any <pain>?")
    browser = page_client(patient)

    assert "Any &lt;pain&gt;?" in text(browser, LIST)
    assert '<span class="count"><bdi>2</bdi>' in text(browser, LIST)
    assert browser.get("/chats/unread").json() == {"count": 2}

    retract_message(actor=doctor, message_id=last.pk)
    assert "Message withdrawn" in text(browser, LIST)
    assert browser.get("/chats/unread").json() == {"count": 1}


def test_lists_have_ones_own_alone(chat: Chat, stranger: User, other_doctor: User) -> None:
    say(chat, chat.connection.patient, "A secret")

    for other in (stranger, other_doctor):
        assert page_client(other).get(LIST).context["lines"] == []


def test_list_goes_on_page_by_page(doctor: User) -> None:
    for _number in range(21):
        chat_of(ConnectionFactory(doctor=doctor))
    browser = page_client(doctor)

    page = browser.get(LIST)

    assert len(page.context["lines"]) == 20
    assert len(browser.get(page.context["page"].older).context["lines"]) == 1
    assert browser.get(f"{LIST}?cursor=nonsense").status_code == 404


@pytest.mark.parametrize("count", [1, 5])
def test_list_takes_the_same_queries_however_long(
    doctor: User, count: int, django_assert_num_queries: Any
) -> None:
    for _number in range(count):
        chat = chat_of(ConnectionFactory(doctor=doctor))
        say(chat, chat.connection.patient)
    browser = page_client(doctor)

    with django_assert_num_queries(10):
        browser.get(LIST)


# --- Reading -----------------------------------------------------------


def test_both_read_what_was_said(chat: Chat, patient: User, doctor: User) -> None:
    say(chat, patient, "It <hurts>.\nHere.")
    say(chat, doctor, "Since when?")

    for reader, mine in ((patient, "It &lt;hurts&gt;."), (doctor, "Since when?")):
        page = text(page_client(reader), url(chat))

        assert "It &lt;hurts&gt;.\nHere." in page
        assert "Since when?" in page
        own = re.findall(r'class="message message--mine".*?</li>', page, re.DOTALL)
        assert sum(mine in message for message in own) == 1
        assert "Not for emergencies" in page


def test_field_says_how_long_a_message_may_be(chat: Chat, patient: User) -> None:
    page = page_client(patient).get(f"/chats/{chat.pk}").content.decode()

    assert f'data-longest="{Message.MAX_LENGTH}"' in page


@pytest.mark.parametrize("path", ["", "/entries", "?q=secret", "?at=1"])
def test_nobody_else_reads(chat: Chat, stranger: User, other_doctor: User, path: str) -> None:
    say(chat, chat.connection.patient, "A secret")

    for other in (stranger, other_doctor):
        assert page_client(other).get(url(chat, path)).status_code == 404


def test_own_messages_say_how_far_they_came(chat: Chat, patient: User, doctor: User) -> None:
    def state() -> Any:
        return re.findall(
            r'data-seq="1".*?data-state="(\w+)"', mine.get(url(chat)).content.decode(), re.DOTALL
        )[0]

    say(chat, patient)
    mine = page_client(patient)
    assert state() == "sent"

    # It is on the doctor's screen, and nobody said that it was read.
    page_client(doctor).get(url(chat))
    assert state() == "delivered"
    page_client(doctor).post(url(chat, "/read"), {"seq": 1})
    assert state() == "read"


def test_after_the_end_nothing_says_how_far_they_come(
    chat: Chat, patient: User, doctor: User
) -> None:
    say(chat, doctor)
    end_connection(actor=doctor, connection_id=chat.connection_id)

    page_client(patient).get(url(chat))
    page_client(patient).post(url(chat, "/read"), {"seq": 1})

    page = text(page_client(doctor), url(chat)).partition("<template")[0]
    assert re.findall(r'data-state="(\w+)"', page) == ["sent"]
    part = text(page_client(doctor), url(chat, "/entries?after=0"))
    assert 'data-read="0" data-delivered="0"' in part
    assert page_client(patient).get("/chats/unread").json() == {"count": 0}


@pytest.mark.parametrize(
    ("query", "delivered"),
    [
        ("?before=1", 0), ("?before=3", 2), ("?at=1", 20), ("", 20), ("?after=30", 0),
        ("/entries?before=1", 0), ("/entries?before=3", 2), ("/entries?after=0", 50),
    ],
)  # fmt: skip
def test_only_what_a_page_shows_has_arrived(
    chat: Chat, patient: User, doctor: User, query: str, delivered: int
) -> None:
    for _number in range(50):
        say(chat, patient)

    page_client(doctor).get(url(chat, query))

    assert place_of(chat, doctor) == (delivered, 0, 0)


def test_whoever_answers_on_an_old_page_has_not_read_the_newer(
    chat: Chat, patient: User, doctor: User
) -> None:
    for _number in range(3):
        say(chat, patient)

    forms = [page_client(doctor).get(url(chat, f"?before={seq}")).context["form"] for seq in (1, 3)]

    assert [form.initial["seen"] for form in forms] == [0, 2]


def test_new_messages_begin_below_a_line(chat: Chat, patient: User, doctor: User) -> None:
    say(chat, doctor, "Before")
    mark_read(actor=patient, chat_id=chat.pk, seq=1)
    say(chat, patient, "Mine")
    say(chat, doctor, "After")

    page = text(page_client(patient), url(chat))

    assert page.index("Mine") < page.index("data-new>") < page.index("After")
    page_client(patient).post(url(chat, "/read"), {"seq": 3})
    assert "data-new>" not in text(page_client(patient), url(chat))


def test_long_chats_open_at_the_first_that_is_unread(
    chat: Chat, patient: User, doctor: User
) -> None:
    say(chat, patient, "Mine")
    for number in range(SHOWN + 5):
        say(chat, (doctor if number else patient), f"Message {number}.")

    page = page_client(patient).get(url(chat))

    seqs = [shown.entry.seq for shown in page.context["entries"]]
    assert seqs[:3] == [1, 2, 3]
    assert page.context["unread_from"] == 3
    assert page.context["window"].has_newer
    assert "?after=" in page.content.decode()


def test_older_and_newer_are_links(chat: Chat, patient: User, doctor: User) -> None:
    people = (patient, doctor)
    for number in range(SHOWN + 10):
        say(chat, people[number % 2], f"Message {number}.")
    mark_read(actor=patient, chat_id=chat.pk, seq=SHOWN + 10)
    browser = page_client(patient)

    def seqs(query: str) -> list[int]:
        return [shown.entry.seq for shown in browser.get(url(chat, query)).context["entries"]]

    assert seqs("") == list(range(11, SHOWN + 11))
    assert "?before=11" in text(browser, url(chat))
    assert seqs("?before=11") == list(range(1, 11))
    assert "?after=10" in text(browser, url(chat, "?before=11"))
    assert seqs("?after=10") == list(range(11, SHOWN + 11))
    assert seqs("?at=25") == list(range(5, 45))


@pytest.mark.parametrize(
    "query",
    [
        "at=x", "before=-1", "before=0", "after=1e3", f"at={MOST_SEQ + 1}", "at=²", "at=",
        "reply=x",
    ],
)  # fmt: skip
def test_nonsense_in_the_address_is_not_found(chat: Chat, patient: User, query: str) -> None:
    assert page_client(patient).get(url(chat, f"?{query}")).status_code == 404


def test_search_leads_to_the_message_in_its_place(chat: Chat, patient: User, doctor: User) -> None:
    for number in range(60):
        say(chat, patient if number % 2 else doctor, "Headache" if number == 3 else f"No {number}.")
    browser = page_client(patient)

    page = text(browser, url(chat, "?q=HEAD"))

    assert page.count("row__link") == 1
    link = f"{url(chat)}?at=4#m-4"
    assert link in page
    assert 'id="m-4"' in text(browser, link)
    assert "Nothing was found" in text(browser, url(chat, "?q=tooth"))


def test_page_looks_for_no_more_than_the_api(chat: Chat, patient: User) -> None:
    browser = page_client(patient)

    assert len(browser.get(url(chat), {"q": "x" * 101}).context["query"]) == LONGEST_QUERY == 100
    assert f'maxlength="{LONGEST_QUERY}"' in text(browser, url(chat))


def test_search_goes_on_page_by_page(chat: Chat, patient: User) -> None:
    for _number in range(SHOWN + 1):
        say(chat, patient, "Pain")
    browser = page_client(patient)

    page = browser.get(url(chat, "?q=pain"))

    assert len(page.context["entries"]) == SHOWN
    rest = browser.get(url(chat, f"?q=pain&before={page.context['older_than']}"))
    assert [shown.entry.seq for shown in rest.context["entries"]] == [1]


@pytest.mark.parametrize("count", [1, 30])
def test_reading_takes_the_same_queries_however_long(
    connection: Connection, count: int, django_assert_num_queries: Any
) -> None:
    chat = chat_of(connection)
    prescription = issue(connection)
    for _number in range(count):
        say(chat, connection.patient, prescription_id=prescription.pk)
    browser = page_client(connection.doctor)
    browser.get(url(chat))

    with django_assert_num_queries(18):
        browser.get(url(chat))


def test_parts_of_the_page_have_withdrawals_too(chat: Chat, patient: User, doctor: User) -> None:
    first = say(chat, patient, "Wrong")
    say(chat, doctor, "Yes?")
    retract_message(actor=patient, message_id=first.pk)

    part = page_client(doctor).get(url(chat, "/entries?after=1")).content.decode()

    assert re.findall(r'data-seq="(\d)"', part) == ["2", "3"]
    assert f'data-retracts="{first.pk}"' in part
    assert "Wrong" not in part
    assert Participant.objects.get(user=doctor).last_delivered_seq == 3
    older = page_client(doctor).get(url(chat, "/entries?before=2")).content.decode()
    assert "Message withdrawn" in older
    assert "Wrong" not in older


# --- Writing -----------------------------------------------------------


def test_first_to_write_opens_the_chat(connection: Connection, patient: User) -> None:
    browser = page_client(patient)
    assert f'action="/connections/{connection.pk}/chat"' in text(
        browser, f"/connections/{connection.pk}"
    )

    answer = browser.post(f"/connections/{connection.pk}/chat")

    assert answer.url == f"/chats/{Chat.objects.get().pk}#newest"
    assert "Nothing has been written yet" in text(browser, answer.url)


def test_message_is_sent_and_what_was_seen_is_read(chat: Chat, patient: User, doctor: User) -> None:
    say(chat, doctor, "How are you?")

    answer = sent(page_client(patient), chat, " Well.\r\nThank you. ", seen=1)

    assert answer.url == f"{url(chat)}#newest"
    assert Message.objects.get(seq=2).content == "Well.\nThank you."
    assert Participant.objects.get(user=patient).last_read_seq == 1


def test_a_form_sent_twice_is_one_message(chat: Chat, patient: User) -> None:
    browser, client_id = page_client(patient), str(uuid4())

    for _time in range(2):
        answer = browser.post(url(chat, "/send"), {"content": "Once", "client_id": client_id})
        assert answer.status_code == 302

    assert Message.objects.count() == 1


def test_lines_ends_count_once(chat: Chat, patient: User) -> None:
    assert sent(page_client(patient), chat, "x\r\n" * 2500).status_code == 302
    assert len(Message.objects.get().content) == 4999


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"content": "x" * 5001}, "5,000 characters"),
        ({"content": "  "}, "Write something."),
        ({"content": "x", "client_id": "nonsense"}, "UUID"),
        ({"content": "x", "client_id": ""}, "required"),
        ({"content": "x\0"}, "Null characters"),
        ({"content": "x", "prescription_id": "nonsense"}, "UUID"),
        ({"content": "x", "prescription_id": str(uuid4())}, "There is no such prescription."),
        ({"content": "x", "seen": "-1"}, "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_sent_comes_back_with_a_sentence(
    chat: Chat, patient: User, body: dict[str, str], words: str
) -> None:
    answer = page_client(patient).post(url(chat, "/send"), {"client_id": str(uuid4()), **body})

    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Message.objects.exists()


def test_too_many_at_once_are_refused_with_what_was_written(chat: Chat, patient: User) -> None:
    for _number in range(60):
        say(chat, patient)

    answer = sent(page_client(patient), chat, "One more")

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "One more" in answer.content.decode()


def test_script_is_answered_with_the_message_or_the_reason(chat: Chat, patient: User) -> None:
    browser = page_client(patient)
    body = {"content": "Hello", "client_id": str(uuid4())}

    answer = browser.post(url(chat, "/send"), body, headers=FETCH)
    assert answer.status_code == 201
    assert body["client_id"] in answer.content.decode()

    refused = browser.post(url(chat, "/send"), body | {"content": "Other"}, headers=FETCH)
    assert refused.status_code == 409
    assert refused.json()["code"] == "client_id_used"
    assert browser.post(url(chat, "/send"), {}, headers=FETCH).status_code == 400


@pytest.mark.parametrize("path", ["/send", "/read", "/settle"])
def test_nobody_else_acts(chat: Chat, stranger: User, other_doctor: User, path: str) -> None:
    body = {"content": "x", "client_id": str(uuid4()), "seq": 1}

    for other in (stranger, other_doctor):
        assert page_client(other).post(url(chat, path), body).status_code == 404


@pytest.mark.parametrize("seq", ["", "x", "-1", str(MOST_SEQ + 1)])
def test_reading_up_to_nonsense_is_refused(chat: Chat, patient: User, seq: str) -> None:
    assert page_client(patient).post(url(chat, "/read"), {"seq": seq}).status_code == 400


# --- A prescription that is mentioned -----------------------------------------------------------


def test_mentioned_prescription_opens_for_whoever_may_see_it(
    chat: Chat, patient: User, doctor: User
) -> None:
    theirs = issue(chat.connection)
    foreign = issue(ConnectionFactory(patient=patient))

    page = text(page_client(patient), url(chat))
    assert f'value="{theirs.pk}"' in page
    assert f'value="{foreign.pk}"' in page
    sent(page_client(patient), chat, "", prescription_id=theirs.pk)
    sent(page_client(patient), chat, "And this?", prescription_id=foreign.pk)

    for_patient = text(page_client(patient), url(chat))
    for_doctor = text(page_client(doctor), url(chat))
    assert f'href="/prescriptions/{theirs.pk}"' in for_doctor
    assert f'href="/prescriptions/{foreign.pk}"' in for_patient
    assert str(foreign.pk) not in for_doctor
    assert foreign.number not in for_doctor
    assert "A prescription that is not open to you" in for_doctor


def test_doctor_can_mention_what_they_wrote_for_this_patient(chat: Chat, doctor: User) -> None:
    own, elsewhere = issue(chat.connection), issue(ConnectionFactory(doctor=doctor))

    page = text(page_client(doctor), url(chat))

    assert f'value="{own.pk}"' in page
    assert f'value="{elsewhere.pk}"' not in page
    # The page is no look at what was prescribed, so it does not show it.
    assert "Amlodipine" not in page
    assert Prescription.objects.count() == 2


# --- Withdrawing, settling -----------------------------------------------------------


def test_withdrawing_asks_first_and_says_what_it_means(
    chat: Chat, patient: User, doctor: User
) -> None:
    message = say(chat, patient, "Wrong person")
    address = f"/chats/messages/{message.pk}/retract"
    browser = page_client(patient)
    assert address in text(browser, url(chat))
    assert address not in text(page_client(doctor), url(chat))

    asked = text(browser, address)
    assert "This cannot be undone" in asked
    assert "Wrong person" in asked
    assert browser.post(address).url == f"{url(chat)}?at=1#m-1"

    for reader in (patient, doctor):
        page = text(page_client(reader), url(chat))
        assert "Wrong person" not in page
        assert "Message withdrawn" in page
    assert browser.get(address).status_code == 409


def test_only_its_sender_withdraws_it(
    chat: Chat, patient: User, doctor: User, stranger: User
) -> None:
    address = f"/chats/messages/{say(chat, patient).pk}/retract"

    assert page_client(doctor).get(address).status_code == 403
    assert page_client(doctor).post(address, headers=FETCH).status_code == 403
    assert page_client(stranger).post(address).status_code == 404
    assert page_client(patient).post(address, headers=FETCH).status_code == 204
    assert page_client(patient).post(address, headers=FETCH).status_code == 409


def test_doctor_says_that_no_answer_is_needed(chat: Chat, patient: User, doctor: User) -> None:
    say(chat, patient, "Thank you!")
    browser = page_client(doctor)
    waiting = f'action="{url(chat, "/settle")}"'
    assert waiting in text(browser, url(chat))
    assert waiting not in text(page_client(patient), url(chat))

    browser.post(url(chat, "/settle"))

    assert text(browser, f"{LIST}?show=awaiting").count("Awaiting your reply since") == 0
    assert browser.post(url(chat, "/settle"), headers=FETCH).json()["code"] == "nothing_awaited"


# --- After it ended -----------------------------------------------------------


def test_ended_connection_leaves_a_chat_to_read(chat: Chat, patient: User, doctor: User) -> None:
    say(chat, patient, "From the patient")
    say(chat, doctor, "From the doctor")
    end_connection(actor=patient, connection_id=chat.connection_id)

    for_patient = text(page_client(patient), url(chat))
    for_doctor = text(page_client(doctor), url(chat))

    assert "From the doctor" in for_patient
    assert "You keep all that was written" in for_patient
    assert "From the doctor" in for_doctor
    assert "From the patient" not in for_doctor
    assert "read what you wrote yourself" in for_doctor
    for page in (for_patient, for_doctor):
        assert "<textarea" not in page
        assert "data-retract " not in page.split("<template")[0]
    refused = sent(page_client(patient), chat, "Still there?")
    assert refused.status_code == 409
    assert "This connection has ended." in refused.content.decode()
    assert "From the patient" not in text(page_client(doctor), LIST)
    assert "Ended: to read" in text(page_client(doctor), LIST)


def test_doctor_who_wrote_nothing_is_not_told_that_nobody_did(
    chat: Chat, patient: User, doctor: User
) -> None:
    say(chat, patient, "From the patient")
    end_connection(actor=patient, connection_id=chat.connection_id)
    browser = page_client(doctor)

    for page in (text(browser, url(chat)), text(browser, LIST)):
        assert "You wrote nothing here" in page
        assert "Nothing was written here" not in page
        assert "Nothing has been written yet" not in page
    # No message will come that could sound.
    assert "data-sound" not in text(browser, url(chat))


# --- Hours, and being away -----------------------------------------------------------


def test_patient_reads_when_the_doctor_is_reached(chat: Chat, patient: User, doctor: User) -> None:
    Connection.objects.filter(pk=chat.connection_id).update(
        available_days=["sun"], available_from=dt.time(10), available_until=dt.time(14)
    )

    page = text(page_client(patient), url(chat))

    assert "Sunday" in page
    assert "10 a.m." in page
    assert "chat__hours" not in text(page_client(doctor), url(chat))


def test_doctor_says_that_they_are_away_and_comes_back(
    chat: Chat, patient: User, doctor: User
) -> None:
    browser, today = page_client(doctor), clinic_date()
    # Not by the hour: one a year does not exist, and one is there twice.
    body = {
        "starts_at": f"{today - dt.timedelta(days=1)}T12:00",
        "ends_at": f"{today + dt.timedelta(days=2)}T12:00",
        "notice": "Dr <Omar> stands in.",
    }

    assert browser.post("/chats/away", body).url == LIST
    assert "Dr &lt;Omar&gt; stands in." in text(page_client(patient), url(chat))
    assert "is away until" in text(page_client(patient), url(chat))
    assert "You are shown as away until" in text(browser, LIST)
    assert "Dr &lt;Omar&gt;" in text(browser, "/chats/away")

    assert browser.post("/chats/away/end").url == LIST
    assert not Absence.objects.exists()
    assert "is away until" not in text(page_client(patient), url(chat))


def test_absence_is_by_the_doctors_own_clock(doctor: User) -> None:
    doctor.time_zone = "Asia/Tokyo"
    doctor.save(update_fields=["time_zone"])
    body = {"starts_at": "2099-01-01T09:00", "ends_at": "2099-01-02T09:00"}

    page_client(doctor).post("/chats/away", body)

    assert Absence.objects.get().starts_at == dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
    assert 'value="2099-01-01T09:00"' in text(page_client(doctor), "/chats/away")


def test_absence_to_come_is_not_told_yet(chat: Chat, patient: User, doctor: User) -> None:
    soon = timezone.now() + dt.timedelta(days=1)
    set_absence(actor=doctor, starts_at=soon, ends_at=soon + dt.timedelta(days=1))

    assert "is away until" not in text(page_client(patient), url(chat))
    assert "You are not shown as away yet" in text(page_client(doctor), "/chats/away")


@pytest.mark.parametrize("ends_at", ["2020-01-01T09:00", "nonsense", ""])
def test_impossible_absence_is_refused(doctor: User, ends_at: str) -> None:
    body = {"starts_at": "2019-01-01T09:00", "ends_at": ends_at}

    assert page_client(doctor).post("/chats/away", body).status_code == 400
    assert not Absence.objects.exists()


# --- Prepared replies -----------------------------------------------------------


def test_doctor_keeps_replies_and_begins_a_message_with_one(chat: Chat, doctor: User) -> None:
    browser = page_client(doctor)
    assert "No prepared replies yet" in text(browser, "/chats/replies")

    browser.post("/chats/replies/new", {"title": "Rest", "content": "Rest, and\r\ndrink."})
    reply = CannedReply.objects.get()
    assert reply.content == "Rest, and\ndrink."
    assert f"?reply={reply.pk}" in text(browser, url(chat))
    assert "Rest, and\ndrink.</textarea>" in text(browser, url(chat, f"?reply={reply.pk}"))

    body = {"title": "Rest well", "content": "Rest."}
    assert browser.post(f"/chats/replies/{reply.pk}", body).url == "/chats/replies"
    assert "Rest well" in text(browser, "/chats/replies")
    taken = browser.post("/chats/replies/new", {"title": "REST WELL", "content": "x"})
    assert taken.status_code == 409
    assert "of this title" in taken.content.decode()

    browser.post(f"/chats/replies/{reply.pk}/delete")
    assert not CannedReply.objects.exists()


def test_replies_are_ones_own(chat: Chat, doctor: User, other_doctor: User, patient: User) -> None:
    foreign = save_reply(actor=other_doctor, title="Theirs", content="Their words")
    browser = page_client(doctor)

    assert browser.get(f"/chats/replies/{foreign.pk}").status_code == 404
    assert browser.post(f"/chats/replies/{foreign.pk}/delete").status_code == 404
    assert "Their words" not in text(browser, url(chat, f"?reply={foreign.pk}"))
    assert page_client(patient).get("/chats/replies").status_code == 403
    assert page_client(patient).get("/chats/away").status_code == 403


# --- Elsewhere -----------------------------------------------------------


def test_homes_show_who_waits_and_what_is_unread(chat: Chat, patient: User, doctor: User) -> None:
    say(chat, patient, "It hurts.")
    say(chat_of(ConnectionFactory(doctor=doctor)), doctor, "Hello")

    page = page_client(doctor).get("/")
    assert [line.chat for line in page.context["chats"]] == [chat]
    assert "Awaiting your reply since" in page.content.decode()
    assert page_client(patient).get("/").context["chats"] == []

    say(chat, doctor, "Where?")
    page = page_client(patient).get("/")
    assert [line.chat for line in page.context["chats"]] == [chat]
    assert page_client(doctor).get("/").context["chats"] == []


def test_navigation_counts_unread_messages(chat: Chat, patient: User, doctor: User) -> None:
    def badge(user: User) -> str:
        page = text(page_client(user), "/notifications")
        return re.findall(r'data-unread="chats"( hidden)?>.*?number>(\d+)<', page)[0]

    assert badge(patient) == (" hidden", "0")
    say(chat, doctor)
    assert badge(patient) == ("", "1")
    assert badge(doctor) == (" hidden", "0")


def test_patients_page_leads_to_the_chat_after_it_ended(
    chat: Chat, patient: User, doctor: User
) -> None:
    say(chat, patient)
    end_connection(actor=patient, connection_id=chat.connection_id)

    page = text(page_client(patient), f"/connections/{chat.connection_id}")

    assert "Read the messages" in page
    answer = page_client(patient).post(f"/connections/{chat.connection_id}/chat")
    assert answer.url == f"{url(chat)}#newest"


@pytest.mark.parametrize("path", ["/chats/{chat}?q=%00", "/chats/{chat}?q=a%00", "/chats?name=%00"])
def test_what_no_text_can_hold_is_not_looked_for(chat: Chat, doctor: User, path: str) -> None:
    say(chat, chat.connection.patient, "An apple")

    answer = page_client(doctor).get(path.format(chat=chat.pk))

    assert answer.status_code == 200
