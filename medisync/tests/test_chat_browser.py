"""Two people write to each other, each at a browser: live, polled, and without JavaScript."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import settings
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Browser, expect

from accounts.models import User
from accounts.tests.factories import PASSWORD
from chat.models import Chat, Message, Participant
from chat.services.places import mark_read
from chat.tests.factories import chat_of, say
from chat.views.shown import SHOWN
from connections.models import Connection
from connections.services.connections import end_connection
from medisync.tests.browsing import PATIENCE, PHONE, Person, is_told
from medisync.tests.client import page_client
from medisync.tests.servers import web_server
from prescriptions.tests.factories import issue

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LAST = ".message >> nth=-1"
FIELD = "textarea[name=content]"
UNREAD_MANY = 110
READ = {"en": "Read", "ar": "قُرئت"}
GONE = {"en": "Message withdrawn", "ar": "رسالة مسحوبة"}


@pytest.fixture
def address() -> Iterator[str]:
    with web_server() as found:
        yield found


def elsewhere(act: Callable[[], Any]) -> Any:
    """On another thread: Playwright's event loop runs on this one, where nothing is announced."""

    def alone() -> Any:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(alone).result()


def at_browser(browser: Browser, address: str, user: User, **device: Any) -> Person:
    """Somebody who is signed in, with a note of every host that their browser asks."""
    person = Person(browser, address, user.language, **device)
    name = settings.SESSION_COOKIE_NAME
    cookie = page_client(user).cookies[name].value
    person.context.add_cookies([{"name": name, "value": cookie, "url": address}])
    person.hosts = set()
    person.page.on("request", lambda request: person.hosts.add(urlsplit(request.url).netloc))
    person.page.on("websocket", lambda socket: person.hosts.add(urlsplit(socket.url).netloc))
    return person


def write(person: Person, text: str) -> None:
    person.page.fill(FIELD, text)
    person.page.click(".composer__send")


def is_live(person: Person) -> None:
    """Both are there, and know it."""
    expect(person.page.locator(".chat__standing--online")).to_be_visible()


def has_read(user: User, seq: int) -> None:
    """By itself, soon after it was shown."""
    deadline = time.monotonic() + PATIENCE / 1000
    while Participant.objects.get(user=user).last_read_seq < seq:
        assert time.monotonic() < deadline, "It is not marked as read."
        time.sleep(0.1)


def scroll_until(person: Person, message: str, to: str) -> None:
    """As far as one can again and again, as more comes each time, until a message is there."""
    deadline = time.monotonic() + PATIENCE / 1000
    while person.page.locator(message).count() == 0:
        assert time.monotonic() < deadline, f"{message} does not come."
        person.page.evaluate(f"window.scrollTo(0, {to})")
        person.page.wait_for_timeout(200)


def without_sockets(person: Person) -> None:
    person.page.route_web_socket("**/ws", lambda socket: socket.close())


@pytest.mark.parametrize("language", ["en", "ar"])
def test_two_people_write_to_each_other_live(
    browser: Browser, address: str, connection: Connection, language: str
) -> None:
    User.objects.update(language=language)
    connection.refresh_from_db()
    patient = at_browser(browser, address, connection.patient, **PHONE)
    doctor = at_browser(browser, address, connection.doctor, color_scheme="dark")

    patient.visit(f"/connections/{connection.pk}")
    patient.send("form[action$='/chat'] button")
    chat = Chat.objects.get()
    doctor.visit("/chats")
    doctor.send(f"a[href='/chats/{chat.pk}#newest']")
    is_live(patient)
    is_live(doctor)

    # What one writes is shown, arrives, and is read, without being asked for.
    patient.page.type(FIELD, "It hurts")
    expect(doctor.page.locator("[data-typing]")).to_be_visible()
    write(patient, "It hurts.\nHere.")
    expect(doctor.page.locator(LAST)).to_contain_text("It hurts.")
    expect(doctor.page.locator("[data-typing]")).to_be_hidden()
    expect(doctor.page.locator("[data-waiting]")).to_be_visible()
    expect(patient.page.locator(LAST)).to_contain_text(READ[language])
    write(doctor, "Since when?")
    expect(patient.page.locator(LAST)).to_contain_text("Since when?")
    expect(doctor.page.locator("[data-waiting]")).to_be_hidden()
    expect(doctor.page.locator(LAST)).to_contain_text(READ[language])
    patient.look()
    doctor.look()

    # It is withdrawn on both sides.
    doctor.page.locator(LAST).hover()
    doctor.page.locator(LAST).locator("[data-retract]").click()
    doctor.look()
    doctor.page.click("#retract-dialog .button--danger")
    for person in (doctor, patient):
        expect(person.page.locator(LAST)).to_contain_text(GONE[language])
        expect(person.page.locator(LAST)).not_to_contain_text("Since when?")
    patient.look()

    # The same is there when it is asked for again, and no other host was.
    before = patient.page.locator(".message__bubble").all_inner_texts()
    patient.visit(f"/chats/{chat.pk}")
    assert patient.page.locator(".message__bubble").all_inner_texts() == before
    own = urlsplit(address).netloc
    assert patient.hosts == doctor.hosts == {own}
    assert [entry.seq for entry in Message.objects.all()] == [1, 2, 3]


def test_other_pages_count_and_list_what_arrives(
    browser: Browser, address: str, connection: Connection
) -> None:
    chat = chat_of(connection)
    doctor = at_browser(browser, address, connection.doctor)
    doctor.visit("/chats?show=awaiting")
    expect(doctor.page.get_by_text("Nobody waits for your answer")).to_be_visible()
    is_told(doctor.page)

    elsewhere(lambda: say(chat, connection.patient, "It hurts."))

    expect(doctor.page.locator("main")).to_contain_text("Awaiting your reply since")
    expect(doctor.page.locator("[data-unread='chats']")).to_contain_text("1")
    expect(doctor.page).to_have_title("(1) Messages · MediSync")


def test_numbers_and_lengths_end_where_the_server_says(
    browser: Browser, address: str, connection: Connection
) -> None:
    chat = chat_of(connection)
    for number in range(UNREAD_MANY):
        with time_machine.travel(timezone.now() - dt.timedelta(minutes=UNREAD_MANY - number)):
            say(chat, connection.patient)
    doctor = at_browser(browser, address, connection.doctor)
    doctor.visit("/chats")
    expect(doctor.page).to_have_title("(99+) Messages · MediSync")

    doctor.visit(f"/chats/{chat.pk}")
    doctor.page.fill(FIELD, "x" * (Message.MAX_LENGTH - 3))
    expect(doctor.page.locator("[data-count]")).to_have_text("Characters left: 3")
    doctor.page.fill(FIELD, "x" * (Message.MAX_LENGTH + 2))
    expect(doctor.page.locator("[data-count]")).to_have_text("Characters too many: 2")


def test_messages_are_fetched_where_sockets_are_blocked(
    browser: Browser, address: str, connection: Connection
) -> None:
    chat = chat_of(connection)
    patient = at_browser(browser, address, connection.patient, **PHONE)
    without_sockets(patient)
    patient.visit(f"/chats/{chat.pk}")
    expect(patient.page.locator("[data-line]")).to_contain_text("fetched every few seconds")

    elsewhere(lambda: say(chat, connection.doctor, "How are you?"))
    expect(patient.page.locator(LAST)).to_contain_text("How are you?")
    write(patient, "Well.")
    expect(patient.page.locator(LAST)).to_contain_text("Sent")
    patient.look()

    assert Message.objects.get(seq=2).content == "Well."
    has_read(connection.patient, 1)
    elsewhere(lambda: mark_read(actor=connection.doctor, chat_id=chat.pk, seq=2))
    elsewhere(lambda: say(chat, connection.doctor, "Good."))
    expect(patient.page.locator(".message--mine")).to_contain_text("Read")


def test_word_about_the_connection_covers_no_message(
    browser: Browser, address: str, connection: Connection
) -> None:
    chat = chat_of(connection)
    for number in range(12):
        say(chat, connection.doctor, f"Message {number}.")
    mark_read(actor=connection.patient, chat_id=chat.pk, seq=12)
    patient = at_browser(browser, address, connection.patient, **PHONE)
    without_sockets(patient)
    patient.visit(f"/chats/{chat.pk}")
    expect(patient.page.locator("[data-line]")).to_be_visible()

    message = patient.page.locator(LAST).bounding_box()
    foot = patient.page.locator(".chat__foot").bounding_box()

    assert message["y"] + message["height"] <= foot["y"]


@pytest.mark.parametrize("language", ["en", "ar"])
def test_lost_connection_is_told_once(
    browser: Browser, address: str, connection: Connection, language: str
) -> None:
    """In the conversation, where it says what becomes of messages; in the header elsewhere, also
    on one that has ended."""
    User.objects.update(language=language)
    connection.refresh_from_db()
    chat = chat_of(connection)
    patient = at_browser(browser, address, connection.patient, **PHONE)
    doctor = at_browser(browser, address, connection.doctor)
    for person in (patient, doctor):
        without_sockets(person)
        person.visit(f"/chats/{chat.pk}")
    for person in (patient, doctor):
        expect(person.page.locator("[data-line]")).to_be_visible()
        person.page.wait_for_timeout(4_000)
        told = person.page.locator(".live-state:visible, .chat__line:visible")
        expect(told).to_have_count(1)
        person.look()

    patient.visit("/chats")
    expect(patient.page.locator("[data-live-state]")).to_be_visible()
    elsewhere(lambda: end_connection(actor=connection.doctor, connection_id=connection.pk))
    patient.visit(f"/chats/{chat.pk}")
    expect(patient.page.locator("[data-live-state]")).to_be_visible()
    expect(patient.page.locator("[data-line]")).to_be_hidden()


def test_nobody_hides_what_the_other_said_under_its_client_id(
    browser: Browser, address: str, connection: Connection
) -> None:
    """A client_id tells apart what one person sends, and the other side knows it."""
    chat = chat_of(connection)
    said = say(chat, connection.doctor, "Take two a day.")
    doctor = at_browser(browser, address, connection.doctor)
    doctor.visit(f"/chats/{chat.pk}")

    elsewhere(lambda: say(chat, connection.patient, "Of what?", client_id=said.client_id))

    expect(doctor.page.locator(LAST)).to_contain_text("Of what?")
    expect(doctor.page.locator(".message")).to_have_count(2)


def test_what_could_not_be_sent_is_kept_and_sent_once(
    browser: Browser, address: str, connection: Connection
) -> None:
    chat = chat_of(connection)
    patient = at_browser(browser, address, connection.patient, **PHONE)
    without_sockets(patient)
    patient.visit(f"/chats/{chat.pk}")
    for verb in ("send", "entries*"):
        patient.page.route(f"**/chats/*/{verb}", lambda route: route.abort())
    write(patient, "Is anybody there?")
    expect(patient.page.locator(LAST)).to_contain_text("Not sent")
    expect(patient.page.locator("[data-line]")).to_contain_text("No connection")
    assert not Message.objects.exists()

    # It is still there in this window after a reload, and in no other.
    patient.page.reload()
    expect(patient.page.locator(LAST)).to_contain_text("Is anybody there?")
    expect(patient.page.locator("[data-again]")).to_be_visible()
    assert patient.page.evaluate("Object.keys(localStorage)") == []
    patient.page.click("[data-again]")
    expect(patient.page.locator(LAST)).to_contain_text("Not sent")

    patient.page.unroute_all()
    expect(patient.page.locator(LAST)).to_contain_text("Sent")
    patient.complaints.clear()  # the browser noted what did not go through
    patient.look()
    assert Message.objects.count() == 1
    kept = patient.page.evaluate("Object.keys(sessionStorage)")
    assert [key for key in kept if key.startswith("chat.")] == []


def test_what_was_refused_is_not_sent_again_by_itself(
    browser: Browser, address: str, connection: Connection
) -> None:
    chat = chat_of(connection)
    for _number in range(60):
        say(chat, connection.patient)
    patient = at_browser(browser, address, connection.patient, **PHONE)
    patient.visit(f"/chats/{chat.pk}")
    is_joined = patient.page.locator("[data-line]")
    write(patient, "One too many")

    expect(patient.page.locator(LAST)).to_contain_text("Not sent:")
    expect(is_joined).to_be_hidden()
    patient.page.click("[data-discard]")
    expect(patient.page.locator(".message").last).not_to_contain_text("One too many")
    assert Message.objects.count() == 60


def test_signing_out_forgets_what_was_not_sent(
    browser: Browser, address: str, connection: Connection
) -> None:
    patient = at_browser(browser, address, connection.patient)
    patient.visit(f"/chats/{chat_of(connection).pk}")
    patient.page.route("**/send", lambda route: route.abort())
    patient.page.evaluate("sessionStorage.setItem('chat.x', '[]')")

    patient.leave()

    assert patient.page.evaluate("sessionStorage.length") == 0


def test_long_conversation_grows_as_one_scrolls_and_is_searched(
    browser: Browser, address: str, connection: Connection
) -> None:
    chat = chat_of(connection)
    people = (connection.patient, connection.doctor)
    for number in range(2 * SHOWN + 5):
        say(chat, people[number % 2], "Headache" if number == 3 else f"Message {number}.")
    Participant.objects.update(last_delivered_seq=2 * SHOWN + 5, last_read_seq=2 * SHOWN + 5)
    patient = at_browser(browser, address, connection.patient, **PHONE)

    def seqs() -> list[int]:
        return patient.page.eval_on_selector_all(
            ".message", "all => all.map((one) => Number(one.dataset.seq))"
        )

    patient.visit(f"/chats/{chat.pk}")
    expect(patient.page.locator(LAST)).to_be_in_viewport()
    scroll_until(patient, "#m-1", "0")
    assert seqs() == list(range(1, 2 * SHOWN + 6))
    expect(patient.page.locator("[data-older]")).to_have_count(0)
    assert patient.page.locator(".chat__day").count() == 1
    patient.look()

    patient.page.click(".chat__tools summary")
    patient.page.fill("#id_q", "headache")
    patient.page.press("#id_q", "Enter")
    patient.page.click("main .row__link")
    expect(patient.page.locator("#m-4")).to_be_in_viewport()
    scroll_until(patient, f"#m-{2 * SHOWN + 5}", "document.documentElement.scrollHeight")
    assert seqs() == list(range(1, 2 * SHOWN + 6))

    # From there on it is live again.
    elsewhere(lambda: say(chat, connection.doctor, "And now?"))
    expect(patient.page.locator(LAST)).to_contain_text("And now?")


def test_doctor_begins_with_a_prepared_reply_and_mentions_a_prescription(
    browser: Browser, address: str, connection: Connection
) -> None:
    chat, prescription = chat_of(connection), issue(connection)
    doctor = at_browser(browser, address, connection.doctor)
    patient = at_browser(browser, address, connection.patient, **PHONE)
    doctor.visit("/chats/replies/new")
    doctor.page.fill("[name=title]", "Rest")
    doctor.page.fill("[name=content]", "Rest, and\ndrink.")
    doctor.send()
    patient.visit(f"/chats/{chat.pk}")
    doctor.visit(f"/chats/{chat.pk}")
    is_live(doctor)

    doctor.page.click(".composer__more summary")
    doctor.look()
    doctor.page.click("[data-reply]")
    expect(doctor.page.locator(FIELD)).to_have_value("Rest, and\ndrink.")
    doctor.page.click(".composer__more summary")
    doctor.page.select_option("[name=prescription_id]", str(prescription.pk))
    expect(doctor.page.locator("[data-mention]")).to_contain_text(prescription.number)
    doctor.page.press(FIELD, "Enter")

    for person in (doctor, patient):
        expect(person.page.locator(LAST).locator("a.message__mention")).to_have_attribute(
            "href", f"/prescriptions/{prescription.pk}"
        )
        person.look()
    # On a phone Enter begins a line.
    patient.page.fill(FIELD, "Thank")
    patient.page.press(FIELD, "Enter")
    expect(patient.page.locator(FIELD)).to_have_value("Thank\n")
    # The count comes when it matters.
    expect(patient.page.locator("[data-count]")).to_be_hidden()
    patient.page.fill(FIELD, "x" * 5001)
    expect(patient.page.locator("[data-count]")).to_have_text("Characters too many: 1")
    patient.look()
    patient.page.click(".composer__send")
    assert Message.objects.count() == 1


def test_open_chat_closes_when_the_connection_ends(
    browser: Browser, address: str, connection: Connection
) -> None:
    chat = chat_of(connection)
    say(chat, connection.patient, "Good morning")
    doctor = at_browser(browser, address, connection.doctor)
    patient = at_browser(browser, address, connection.patient, **PHONE)
    patient.visit(f"/chats/{chat.pk}")
    doctor.visit(f"/chats/{chat.pk}")
    is_live(doctor)

    elsewhere(lambda: end_connection(actor=connection.patient, connection_id=connection.pk))

    for person in (doctor, patient):
        expect(person.page.locator(".chat__closed")).to_be_visible()
        person.look()
    expect(doctor.page.locator("main")).not_to_contain_text("Good morning")
    expect(patient.page.locator("main")).to_contain_text("Good morning")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_everything_works_without_javascript(
    browser: Browser, address: str, connection: Connection, language: str
) -> None:
    User.objects.update(language=language)
    prescription = issue(connection)
    patient = Person(browser, address, language, java_script_enabled=False, **PHONE)
    doctor = Person(browser, address, language, java_script_enabled=False)
    patient.look = doctor.look = lambda: None  # axe is a script
    patient.sign_in(connection.patient.email, PASSWORD)
    doctor.sign_in(connection.doctor.email, PASSWORD)

    patient.visit(f"/connections/{connection.pk}")
    patient.send("form[action$='/chat'] button")
    patient.page.fill(FIELD, "It hurts.\nHere.")
    patient.page.click(".composer__more summary")
    patient.page.select_option("[name=prescription_id]", str(prescription.pk))
    patient.send(".composer__send")
    chat = Chat.objects.get()
    assert patient.page.url == f"{address}/chats/{chat.pk}#newest"

    doctor.visit("/chats")
    doctor.send(f"a[href='/chats/{chat.pk}#newest']")
    expect(doctor.page.locator(LAST)).to_contain_text(prescription.number)
    doctor.send("noscript form button")
    doctor.send("[data-waiting] button")
    expect(doctor.page.locator("[data-waiting]")).to_be_hidden()
    doctor.page.fill(FIELD, "Since when?")
    doctor.send(".composer__send")
    doctor.send(".message--mine [data-retract]")
    doctor.send("main form .button--danger")
    expect(doctor.page.locator(LAST)).to_contain_text(GONE[language])

    patient.visit(f"/chats/{chat.pk}")
    expect(patient.page.locator(LAST)).to_contain_text(GONE[language])
    expect(patient.page.locator(".message--mine")).to_contain_text(READ[language])
