"""A copy of one person's own data: a ZIP with a page to read, JSON, and files.

Everything is read as its person may read it, through `visible_to`; of other people it holds
what this person sees of them. The parts are written to a file one after another, and each is
made known when it is done: its person watches it grow. What grows without end, the log of
accesses and the notifications, goes from the table to the file in chunks, so that a long life
takes no more memory than a short one.
"""

from __future__ import annotations

import datetime as dt
import logging
import shutil
import tempfile
import zipfile
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import IO, Any, cast
from uuid import UUID

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.models import (
    AllergyIntolerance,
    Condition,
    DataExport,
    DeviceSession,
    DoctorProfile,
    EmergencyContact,
    MedicationStatement,
    PatientProfile,
    SpokenLanguage,
    User,
)
from accounts.places import place_of
from accounts.serializers import health as shapes
from accounts.serializers.people import UserSerializer
from accounts.services import exports
from accounts.services.health import PROFILE_FIELDS
from accounts.services.profiles import PRACTICE
from audit.models import AccessEvent
from audit.services import access_event, record_accesses
from chat.models import Absence, CannedReply, Chat, Message
from chat.serializers import (
    AbsenceSerializer,
    ChatSerializer,
    MessageSerializer,
    ReplySerializer,
)
from chat.services.reading import lines_of
from common.clock import clinic_date
from common.documents import DOCUMENT_SUFFIXES, sniff_document
from common.languages import Language
from common.renderers import dumps
from connections.models import AccessGrant, Connection, ConnectionRequest
from connections.serializers.access_log import CaseSerializer, EntrySerializer
from connections.serializers.connections import ConnectionSerializer
from connections.serializers.grants import GrantSerializer
from connections.serializers.requests import OpenedRequestSerializer, RequestSerializer
from connections.services.access_log import Entry, entries_of
from notifications.forms import CHANNELS
from notifications.models import Notification
from notifications.serializers import NotificationSerializer, PreferencesSerializer
from notifications.services import preferences_of
from prescriptions.models import Prescription, PrescriptionTemplate, RefillRequest
from prescriptions.pdf import render_prescription_pdf
from prescriptions.serializers.orders import PrescriptionSerializer
from prescriptions.serializers.refills import (
    PrescriptionEventSerializer,
    RefillRequestSerializer,
)
from prescriptions.serializers.templates import TemplateSerializer
from prescriptions.services.reading import printable
from prescriptions.services.timeline import history_of, timeline
from qrverify.models import EmergencyCard, EmergencyScan, SharedLink
from qrverify.serializers.emergency import EmergencyCardSerializer, EmergencyScanSerializer
from qrverify.serializers.links import LinkOpeningSerializer, SharedLinkSerializer
from qrverify.services.emergency_content import emergency_content
from records.models import Record
from records.serializers import RecordSerializer

logger = logging.getLogger(__name__)

# Prescriptions to a part: a few seconds of setting type.
BATCH = 25
# Rows of what grows without end that are in memory at a time, and that the page shows.
CHUNK = 500
SHOWN = 1000

HEALTH_LISTS = (
    ("allergies", gettext_lazy("Allergies"), AllergyIntolerance, shapes.AllergySerializer),
    ("conditions", gettext_lazy("Chronic conditions"), Condition, shapes.ConditionSerializer),
    (
        "medications",
        gettext_lazy("Medicines you take"),
        MedicationStatement,
        shapes.MedicationSerializer,
    ),
    (
        "emergency_contacts",
        gettext_lazy("Emergency contacts"),
        EmergencyContact,
        shapes.EmergencyContactSerializer,
    ),
)


def make_export(export_id: UUID | str) -> bool:
    """Make one copy if it is due and nobody else makes it; True when it is ready."""
    export = exports.claim_export(export_id)
    if export is None:
        return False
    try:
        with tempfile.TemporaryFile() as file, _speaking_to(export.user):
            archive = _Archive(export, file)
            archive.write()
            file.seek(0)
            exports.keep_export(export, file, when_ready=archive.record_accesses)
    except exports.ClaimLost:
        return False
    except Exception:
        logger.exception("A copy of somebody's data could not be made.")
        exports.put_back(export)
        return False
    return True


@contextmanager
def _speaking_to(user: User) -> Iterator[None]:
    """In that person's language and by their clock."""
    clock = timezone.override(zoneinfo.ZoneInfo(user.time_zone))
    with translation.override(user.language), clock:
        yield


@dataclass(frozen=True, slots=True)
class Link:
    """A cell of the page that leads to a file of the archive."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Table:
    """One section of the page: a heading, the columns and the rows beneath."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | Link]]
    note: str = ""


class _Archive:
    def __init__(self, export: DataExport, file: IO[bytes]) -> None:
        self.export, self.user = export, export.user
        self.zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.tables: list[Table] = []
        self.prescriptions: list[list[str | Link]] = []
        self.of_others: list[UUID] = []

    def write(self) -> None:
        """Part by part; raises `ClaimLost` where another worker has taken over."""
        parts = self._parts()
        exports.record_progress(self.export, done_parts=0, all_parts=len(parts))
        with self.zip:
            for done, part in enumerate(parts, start=1):
                part()
                exports.record_progress(self.export, done_parts=done, all_parts=len(parts))

    def _parts(self) -> list[Callable[[], None]]:
        ids = list(self._readable_prescriptions().order_by("pk").values_list("pk", flat=True))
        batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
        return [
            self._account,
            self._health,
            self._documents,
            self._records,
            self._sessions,
            self._status_changes,
            self._connections,
            self._grants,
            self._emergency_card,
            self._links,
            self._requests,
            *(partial(self._some_prescriptions, batch) for batch in batches),
            self._refill_requests,
            self._templates,
            self._chats,
            self._help,
            self._preferences,
            self._notifications,
            self._accesses,
            self._page,
        ]

    def _add(self, name: str, content: bytes) -> None:
        self.zip.writestr(name, content)

    def _add_list(self, name: str, entries: Iterable[Any]) -> None:
        """A JSON array, one entry after another."""
        before = b"["
        with self.zip.open(name, "w") as target:
            for entry in entries:
                target.write(before + dumps(entry))
                before = b","
            target.write(b"]" if before == b"," else b"[]")

    def _account(self) -> None:
        user = self.user
        account = UserSerializer(user).data | {
            "joined_at": user.created_at,
            "last_sign_in_at": user.last_login,
            "profile": _profile(user),
            "signs_in_with": {
                "authenticator_app_since": getattr(user, "totp", None) and user.totp.confirmed_at,
                "passkeys": list(user.passkeys.values("name", "created_at", "last_used_at")),
                "accounts_elsewhere": list(
                    user.external_identities.values("issuer", "subject", "created_at")
                ),
            },
        }
        self._add("account.json", dumps(account))
        told = {
            _("Name"): user.full_name,
            _("E-mail"): user.email,
            _("Phone"): str(user.phone or ""),
            _("Role"): user.get_role_display(),
            _("Status"): user.get_status_display(),
            _("Registered"): _when(user.created_at),
        }
        rows = [[name, value] for name, value in (told | _told_of_profile(user)).items() if value]
        self.tables.append(Table(_("Account"), (), rows))

    def _health(self) -> None:
        """What a patient keeps in lists."""
        if not self.user.is_patient:
            return
        kept = {}
        for name, title, kind, shape in HEALTH_LISTS:
            entries = list(kind.objects.of(self.user))
            kept[name] = shape(entries, many=True).data
            rows = [[str(entry), entry.summary] for entry in entries]
            self.tables.append(Table(str(title), (), rows))
        self._add("health.json", dumps(kept))

    def _documents(self) -> None:
        profile = getattr(self.user, "doctor_profile", None)
        if profile is None:
            return
        documents = {
            "licence-document": (_("Licence document"), profile.licence_document),
            "national-id-document": (_("National ID document"), profile.national_id_document),
        }
        rows = []
        for name, (label, document) in documents.items():
            with document.open("rb") as source:
                media_type = sniff_document(source.read(16))
                source.seek(0)
                path = f"documents/{name}{DOCUMENT_SUFFIXES.get(media_type or '', '')}"
                with self.zip.open(path, "w") as target:
                    shutil.copyfileobj(source, target)
            rows.append([Link(label, path)])
        self.tables.append(Table(_("Documents"), (), rows))

    def _records(self) -> None:
        """A patient's documents, also those that no doctor sees."""
        if not self.user.is_patient:
            return
        records = list(Record.objects.visible_to(self.user))
        shown = [
            RecordSerializer(record).data
            | {"is_sensitive": record.is_sensitive, "trashed_at": record.trashed_at}
            for record in records
        ]
        self._add("records.json", dumps(shown))
        rows = [
            [date_format(record.date), str(record.get_kind_display()), record.title]
            for record in records
        ]
        self.tables.append(Table(_("Documents"), (), rows))

    def _sessions(self) -> None:
        sessions = list(DeviceSession.objects.visible_to(self.user).order_by("-id"))
        names = (
            "id", "method", "factor", "device_name", "user_agent", "ip_address", "created_at",
            "last_seen_at", "expires_at", "revoked_at", "revoked_reason",
        )  # fmt: skip
        shown = [
            {name: getattr(session, name) for name in names}
            | {"place": place_of(session.ip_address)}
            for session in sessions
        ]
        self._add("sessions.json", dumps(shown))
        rows = [
            [_when(session.created_at), str(session), place_of(session.ip_address)]
            for session in sessions
        ]
        self.tables.append(Table(_("Sign-ins"), (_("When"), _("Device"), _("Place")), rows))

    def _status_changes(self) -> None:
        changes = list(self.user.status_changes.all())
        shown = [
            {
                "at": change.created_at,
                "from": change.from_status,
                "to": change.to_status,
                "by": "you" if change.changed_by_id == self.user.pk else "administrator",
                "reason_code": change.reason_code,
                "reason": change.reason,
            }
            for change in changes
        ]
        self._add("status-changes.json", dumps(shown))
        rows = [[_when(change.created_at), str(change), change.reason] for change in changes]
        self.tables.append(
            Table(
                _("Changes of your account's status"), (_("When"), _("Change"), _("Reason")), rows
            )
        )

    def _connections(self) -> None:
        connections = list(Connection.objects.visible_to(self.user).with_people())
        shown = ConnectionSerializer(connections, many=True, context={"viewer": self.user})
        self._add("connections.json", dumps(shown.data))
        rows = [
            [
                connection.other_side(self.user).display_name,
                connection.status_for(self.user).label,
                _when(connection.connected_at) if connection.connected_at else "",
            ]
            for connection in connections
        ]
        self.tables.append(Table(_("Connections"), (_("With"), _("Status"), _("Connected")), rows))

    def _grants(self) -> None:
        """What a patient shares, and what they shared before; of a doctor, what is shared with
        them."""
        grants = list(AccessGrant.objects.visible_to(self.user).with_people())
        self._add("grants.json", dumps(GrantSerializer(grants, many=True).data))
        title = _("What you let doctors see") if self.user.is_patient else _("Shared with you")
        columns = (_("With"), _("Data"), _("From"), _("Chosen"), _("Until"), _("Ended"))
        rows = [self._grant_row(grant) for grant in grants]
        self.tables.append(Table(title, columns, rows))

    def _emergency_card(self) -> None:
        """A patient's card as it reads now, and who opened it. Its address is not among it: a
        copy that is lost shall not open it."""
        if not self.user.is_patient:
            return
        card = EmergencyCard.objects.visible_to(self.user).live().with_patient().first()
        content = emergency_content(card, timezone.now()) if card else None
        shown = EmergencyCardSerializer(content).data | {"url": None} if content else None
        scans = list(EmergencyScan.objects.visible_to(self.user))
        openings = EmergencyScanSerializer(scans, many=True).data
        self._add("emergency-card.json", dumps({"card": shown, "openings": openings}))
        parts = content.parts if content else ()
        fields = [[part.label, ", ".join(line.text for line in part.lines)] for part in parts]
        self.tables.append(Table(_("Emergency card"), (), fields))
        rows = [[_when(one.created_at), one.responder_name, one.reason_text] for one in scans]
        columns = (_("When"), _("Name"), _("Reason"))
        self.tables.append(Table(_("Who opened your emergency card"), columns, rows))

    def _links(self) -> None:
        """A patient's links and who opened them; none of the addresses, which open them."""
        if not self.user.is_patient:
            return
        links = list(SharedLink.objects.visible_to(self.user).prefetch_related("openings"))
        shown = [
            SharedLinkSerializer(link).data
            | {"openings": LinkOpeningSerializer(link.openings.all(), many=True).data}
            for link in links
        ]
        self._add("links.json", dumps(shown))
        now = timezone.now()
        rows = [
            [
                str(link),
                ", ".join(link.category_labels) or str(link.get_content_display()),
                str(link.state(now).label),
                _when(link.created_at),
                _when(link.expires_at),
                ", ".join(
                    f"{one.recipient} {_when(one.created_at)}" for one in link.openings.all()
                ),
            ]
            for link in links
        ]
        columns = (
            _("Link"), _("What it shows"), _("Status"), pgettext("link", "Made"),
            _("Works until"), _("Who opened it"),
        )  # fmt: skip
        self.tables.append(Table(_("Links"), columns, rows))

    def _grant_row(self, grant: AccessGrant) -> list[str]:
        ended_at = grant.ended_at
        return [
            grant.connection.other_side(self.user).display_name,
            ", ".join(grant.category_names),
            date_format(grant.data_from) if grant.data_from else "",
            _when(grant.created_at),
            _when(grant.ends_at) if grant.ends_at else "",
            f"{_when(ended_at)} · {grant.get_end_reason_display()}" if ended_at else "",
        ]

    def _requests(self) -> None:
        """What they asked, or were asked; the words and pictures in it are a patient's own."""
        requests = list(ConnectionRequest.objects.seen_by(self.user).with_people())
        shape = OpenedRequestSerializer if self.user.is_patient else RequestSerializer
        self._add("requests.json", dumps(shape(requests, many=True).data))
        rows = [self._request_row(request) for request in requests]
        columns = (_("With"), _("Status"), _("Asked"), _("Your words"), _("Picture"))
        self.tables.append(Table(_("Requests to connect"), columns, rows))

    def _request_row(self, request: ConnectionRequest) -> list[str | Link]:
        is_own = request.patient_id == self.user.pk
        other = request.doctor if is_own else request.patient
        picture: str | Link = ""
        if is_own and request.image:
            path = f"requests/{request.pk}.jpg"
            with request.image.open("rb") as source, self.zip.open(path, "w") as target:
                shutil.copyfileobj(source, target)
            picture = Link(_("Picture"), path)
        return [
            other.display_name,
            str(request.state(timezone.now()).label),
            _when(request.created_at),
            request.notes if is_own else "",
            picture,
        ]

    def _readable_prescriptions(self) -> Any:
        """A doctor's are those they issued; what patients let them see is the patients'."""
        found = Prescription.objects.visible_to(self.user)
        return found.issued_by(self.user) if self.user.is_doctor else found

    def record_accesses(self) -> None:
        """A doctor takes other people's data along: each of them finds it in their log, once,
        however many attempts it took."""
        record_accesses(
            access_event(
                actor_id=self.user.pk,
                patient_id=prescription.patient_id,
                action=AccessEvent.Action.DOWNLOADED,
                target=prescription,
                basis=AccessEvent.Basis.AUTHOR,
            )
            for prescription in Prescription.objects.filter(pk__in=self.of_others).order_by("pk")
        )

    def _some_prescriptions(self, ids: list[UUID]) -> None:
        found = self._readable_prescriptions().with_course().filter(pk__in=ids).order_by("pk")
        for prescription in found:
            self._one_prescription(prescription)
            if prescription.patient_id != self.user.pk:
                self.of_others.append(prescription.pk)

    def _one_prescription(self, prescription: Prescription) -> None:
        """On the sheets of a doctor there is no patient's birth date and sex: those are read by
        a grant, which a copy does not use. The PIN is in no copy: one that is lost shall open
        nothing at a pharmacy."""
        version = f"-v{prescription.version}" if prescription.version > 1 else ""
        path = f"prescriptions/{prescription.number}{version}"
        self._add(f"{path}.json", dumps(self._told_of_prescription(prescription)))
        pdf = render_prescription_pdf(
            printable(
                prescription,
                getattr(self.user, "patient_profile", None),
                has_code=prescription.gives_code_to(self.user),
            ),
            paper="A4",
            language=cast(Language, self.user.language),
        )
        self._add(f"{path}.pdf", pdf)
        other = prescription.doctor if self.user.is_patient else prescription.patient
        medicines = ", ".join(item.medicine for item in prescription.items.all())
        self.prescriptions.append(
            [
                date_format(prescription.issued_on),
                Link(f"{prescription.number}{version}", f"{path}.pdf"),
                str(prescription.state_told(self.user, clinic_date()).label),
                other.display_name,
                medicines,
            ]
        )

    def _told_of_prescription(self, prescription: Prescription) -> dict[str, Any]:
        """As the API tells it, with all that became of it."""
        shown = PrescriptionSerializer(prescription, context={"reader": self.user}).data
        history = history_of(prescription, self.user)
        events = PrescriptionEventSerializer(timeline(history), many=True).data
        return {name: value for name, value in shown.items() if name != "pin"} | {"history": events}

    def _refill_requests(self) -> None:
        """What a patient asked to be prescribed again, or a doctor was asked."""
        requests = list(RefillRequest.objects.visible_to(self.user).with_people())
        self._add("refill-requests.json", dumps(RefillRequestSerializer(requests, many=True).data))
        rows = [
            [
                _when(one.created_at),
                one.prescription.number,
                str(one.get_status_display()),
                one.note,
                one.reason,
            ]
            for one in requests
        ]
        columns = (_("When"), _("Number"), _("Status"), _("Note"), _("Answer"))
        self.tables.append(Table(_("Asked to prescribe again"), columns, rows))

    def _templates(self) -> None:
        """What a doctor prescribes often."""
        if not self.user.is_doctor:
            return
        templates = list(PrescriptionTemplate.objects.visible_to(self.user))
        shown = TemplateSerializer(templates, many=True).data
        self._add("prescription-templates.json", dumps(shown))
        rows = [[one.name, ", ".join(item["medicine"] for item in one.items)] for one in templates]
        columns = (_("Name"), _("Medicines"))
        self.tables.append(Table(_("Templates for prescriptions"), columns, rows))

    def _chats(self) -> None:
        """Whom they write with, and all that they may still read of it: to a doctor whose
        connection has ended, what they wrote themselves."""
        self._add_list("chats.json", self._told_of_chats())
        rows: list[list[str]] = []
        self._add_list("messages.json", self._said(rows))
        columns = (_("When"), _("From"), _("To"), _("Message"))
        self.tables.append(_newest(_("Messages"), columns, rows, "messages.json"))

    def _told_of_chats(self) -> Iterator[Any]:
        for chats in _chunks(Chat.objects.visible_to(self.user).with_people()):
            lines = lines_of(actor=self.user, chats=chats)
            yield from ChatSerializer(lines, many=True, context={"viewer": self.user}).data

    def _said(self, rows: list[list[str]]) -> Iterator[Any]:
        """Each entry, the newest first, and what the page shows of the newest messages."""
        found = Message.objects.visible_to(self.user).with_details().with_people()
        for chunk in _chunks(found.order_by("-id")):
            said = [entry for entry in chunk if entry.kind == Message.Kind.MESSAGE]
            rows += [self._message_row(message) for message in _still_shown(said, rows)]
            yield from MessageSerializer(chunk, many=True).data

    def _message_row(self, message: Message) -> list[str]:
        pair, withdrawn = message.chat.connection, _("Withdrawn")
        by_doctor = message.sender_id == pair.doctor_id
        sides = (pair.doctor, pair.patient) if by_doctor else (pair.patient, pair.doctor)
        names = [side.display_name for side in sides]
        return [
            _when(message.created_at), *names, withdrawn if message.is_retracted else message.text,
        ]  # fmt: skip

    def _help(self) -> None:
        """What a doctor has prepared to answer with."""
        if not self.user.is_doctor:
            return
        replies = list(CannedReply.objects.visible_to(self.user))
        absence = Absence.objects.visible_to(self.user).first()
        away = AbsenceSerializer(absence).data if absence else None
        prepared = {"replies": ReplySerializer(replies, many=True).data, "absence": away}
        self._add("prepared-replies.json", dumps(prepared))
        rows = [[reply.title, reply.content] for reply in replies]
        self.tables.append(Table(_("Prepared replies"), (_("Title"), _("Text")), rows))

    def _preferences(self) -> None:
        """How they want to be told of things."""
        wishes = PreferencesSerializer(preferences_of(self.user)).data
        self._add("preferences.json", dumps(wishes))
        rows = [
            [event["label"], ", ".join(str(CHANNELS[way]) for way in CHANNELS if event[way])]
            for event in wishes["events"]
        ]
        if wishes["quiet_from"]:
            quiet = f"{wishes['quiet_from']}–{wishes['quiet_until']}"
            rows.insert(0, [_("Quiet hours"), quiet])
        self.tables.append(Table(_("Preferences"), (), rows))

    def _notifications(self) -> None:
        rows: list[list[str]] = []
        self._add_list("notifications.json", self._told(rows))
        columns = (_("When"), _("What you were told"))
        self.tables.append(_newest(_("Notifications"), columns, rows, "notifications.json"))

    def _told(self, rows: list[list[str]]) -> Iterator[Any]:
        """Each notification, and what the page shows of the newest."""
        for chunk in _chunks(Notification.objects.visible_to(self.user).with_about()):
            rows += [[_when(one.created_at), one.title] for one in _still_shown(chunk, rows)]
            yield from NotificationSerializer(chunk, many=True).data

    def _accesses(self) -> None:
        """Who looked at one's data, and what this person asked about it."""
        rows: list[list[str]] = []
        asked: list[list[str]] = []
        self._add_list("access-log.json", self._entries(rows, asked))
        columns = (_("When"), _("What"))
        self.tables.append(_newest(_("Who saw your data"), columns, rows, "access-log.json"))
        columns_of_questions = (_("When"), _("What"), _("Your question"), _("Answer"))
        self.tables.append(Table(_("Your questions about it"), columns_of_questions, asked))

    def _entries(self, rows: list[list[str]], asked: list[list[str]]) -> Iterator[Any]:
        """Each act, what the page shows of the newest, and what was asked about any of them."""
        events = AccessEvent.objects.visible_to(self.user).prefetch_related("cases")
        for chunk in _chunks(events):
            entries = entries_of(chunk)
            shown = _still_shown(entries, rows)
            rows += [[_when(entry.event.created_at), entry.sentence] for entry in shown]
            asked += [
                [_when(case.created_at), entry.sentence, case.question, case.answer]
                for entry in entries
                for case in entry.cases
            ]
            yield from map(_access, entries)

    def _page(self) -> None:
        columns = (_("Issued"), _("Number"), _("State"), _("Person"), _("Medicines"))
        prescriptions = Table(_("Prescriptions"), columns, self.prescriptions)
        context = {
            "person": self.user,
            "made": _when(timezone.now()),
            "tables": [*self.tables, prescriptions],
            "language": self.user.language,
            "direction": "rtl" if translation.get_language_bidi() else "ltr",
        }
        self._add("index.html", render_to_string("medisync/export.html", context).encode())


def _chunks(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    found = rows.iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        yield chunk


def _still_shown(chunk: Sequence[Any], rows: Sequence[Any]) -> Sequence[Any]:
    """As many as the page still takes, and one more, by which it knows that there are more."""
    return chunk[: SHOWN + 1 - len(rows)]


def _newest(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], file: str) -> Table:
    """The first of them, and where all are."""
    if len(rows) <= SHOWN:
        return Table(title, columns, rows)
    note = _("Only the newest %(n)s are listed here; %(file)s holds all of them.")
    return Table(title, columns, rows[:SHOWN], note % {"n": SHOWN, "file": file})


def _access(entry: Entry) -> dict[str, Any]:
    """An act as the API tells it, with all that was asked about it."""
    return EntrySerializer(entry).data | {"cases": CaseSerializer(entry.cases, many=True).data}


def _profile(user: User) -> dict[str, Any]:
    """What somebody told about themselves as a patient or a doctor."""
    patient, doctor = getattr(user, "patient_profile", None), getattr(user, "doctor_profile", None)
    if patient is not None:
        names: Sequence[str] = ("birth_date", "sex", "national_id", *PROFILE_FIELDS)
        return {name: getattr(patient, name) for name in names}
    if doctor is not None:
        names = ("licence_number", "licence_expiry_date", "applied_at", *PRACTICE)
        practised = {"specialization": doctor.specialization.code}
        return practised | {name: getattr(doctor, name) for name in names}
    return {}


def _told_of_profile(user: User) -> dict[str, str]:
    """The same for the page."""
    patient, doctor = getattr(user, "patient_profile", None), getattr(user, "doctor_profile", None)
    if patient is not None:
        return {
            _("Birth date"): date_format(patient.birth_date),
            _("Sex"): patient.get_sex_display(),
            _("National ID"): patient.national_id or "",
            **_told(patient, PROFILE_FIELDS),
        }
    if doctor is not None:
        expiry = doctor.licence_expiry_date
        return {
            _("Specialization"): str(doctor.specialization),
            _("Licence number"): doctor.licence_number,
            _("Licence valid until"): date_format(expiry) if expiry else "",
            **_told(doctor, PRACTICE),
        }
    return {}


def _told(profile: PatientProfile | DoctorProfile, names: Sequence[str]) -> dict[str, str]:
    """The fields by the names that their forms give them."""
    told = {}
    for name in names:
        value = getattr(profile, name)
        if name == "languages":
            value = ", ".join(SpokenLanguage(code).label for code in value)
        elif name == "governorate":
            value = profile.get_governorate_display()
        label = profile._meta.get_field(name).verbose_name  # type: ignore[union-attr]
        told[capfirst(str(label))] = "" if value is None else str(value)
    return told


def _when(at: dt.datetime) -> str:
    """An instant on this person's clock."""
    local = timezone.localtime(at)
    return f"{date_format(local)} {date_format(local, 'TIME_FORMAT')}"
