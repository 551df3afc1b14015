"""Who gets what: every route with every method, for the whole cast.

The table is complete by construction: a route or method that the URL resolver knows and the
table does not is a failing test, and so is a line about a route that is gone. To add a route,
add its lines; to change who may do something, change a column, and think.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import OneTimeCode, Role, Status, User
from accounts.services.registration import start_registration
from accounts.tests.factories import PASSWORD, DoctorFactory, PatientFactory
from accounts.tests.registering import code_of, registering, verified
from accounts.tokens import onboarding_token, token_pair
from common.clock import clinic_date
from connections.models import Connection
from medisync.tests.client import api_client, page_client, sign_in
from notifications.models import Notification
from prescriptions.tests.factories import issue
from qrverify.tests.factories import show_code

pytestmark = pytest.mark.django_db
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# The patient and the doctor are connected; the prescription, the notification and the device
# session are the patient's, the QR code to withdraw is the doctor's, and the one to scan the
# other doctor's. "pending" is a doctor who waits for approval, "suspended" a patient.
CAST = (
    "anonymous", "patient", "doctor", "stranger", "other_doctor", "admin", "pending", "suspended",
)  # fmt: skip

# "login" is a redirect to the login page. Where a body is asked for, a right one is sent.
TABLE = """
#                                                            anon. pat.  doct. stra. other admin pend. susp.
GET    /                                                     200   200   200   200   200   302   200   200
GET    login                                                 200   302   302   302   302   302   302   200
POST   login                                                 302   302   302   302   302   302   302   302
POST   logout                                                login login login login login login login login
GET    register                                              200   302   302   302   302   302   302   200
POST   register                                              302   302   302   302   302   302   302   302
GET    register/details                                      302   302   302   302   302   302   302   302
POST   register/details                                      302   302   302   302   302   302   302   302
GET    register/verify                                       302   302   302   302   302   302   302   302
POST   register/verify                                       302   302   302   302   302   302   302   302
POST   register/resend                                       302   302   302   302   302   302   302   302
GET    register/profile                                      302   302   302   302   302   302   302   302
POST   register/profile                                      302   302   302   302   302   302   302   302
GET    register/done                                         login 200   200   200   200   200   200   login
GET    profile                                               login 200   200   200   200   200   200   login
POST   profile                                               login 302   302   302   302   302   302   login
GET    sessions                                              login 200   200   200   200   200   200   login
POST   sessions/<uuid:pk>/revoke                             login 302   404   404   404   404   404   login
POST   language                                              302   302   302   302   302   302   302   302
GET    notifications                                         login 200   200   200   200   200   200   login
POST   notifications/read-all                                login 302   302   302   302   302   302   login
POST   notifications/<uuid:notification_id>/open             login 302   404   404   404   404   404   login
POST   notifications/<uuid:notification_id>/delete           login 302   404   404   404   404   404   login
GET    connections                                           login 200   200   200   200   200   200   login
POST   connections/<uuid:connection_id>/end                  login 302   302   404   404   404   404   login
GET    connections/<uuid:connection_id>                      login 200   200   404   404   404   404   login
GET    prescriptions                                         login 200   200   200   200   200   200   login
GET    prescriptions/<uuid:prescription_id>                  login 200   200   404   404   404   404   login
GET    prescriptions/<uuid:prescription_id>/pdf              login 200   200   404   404   404   404   login
GET    connections/<uuid:connection_id>/prescribe            login 403   200   404   404   404   404   login
POST   connections/<uuid:connection_id>/prescribe            login 403   302   404   404   404   404   login
GET    qr                                                    login 403   200   403   200   403   403   login
POST   qr                                                    login 403   200   403   200   403   403   login
POST   qr/<uuid:token_id>/revoke                             login 404   302   404   404   404   404   login
GET    scan                                                  login 200   403   200   403   403   403   login
POST   scan                                                  login 302   403   302   403   403   403   login
GET    scan/<str:token>                                      login 200   403   200   403   403   403   login
POST   scan/<str:token>                                      login 302   403   302   403   403   403   login
GET    verify/<str:code>                                     200   200   200   200   200   200   200   200
POST   api/v1/auth/register/init                             201   201   201   201   201   201   201   201
POST   api/v1/auth/register/basic                            201   201   201   201   201   201   201   201
POST   api/v1/auth/register/verify-email                     200   200   200   200   200   200   200   200
POST   api/v1/auth/resend-otp                                204   204   204   204   204   204   204   204
POST   api/v1/auth/login                                     200   200   200   200   200   200   200   200
POST   api/v1/auth/refresh                                   200   200   200   200   200   200   200   200
POST   api/v1/auth/logout                                    401   204   204   204   204   204   204   401
GET    api/v1/users/profile                                  401   200   200   200   200   200   200   401
PATCH  api/v1/users/profile                                  401   200   200   200   200   200   200   401
GET    api/v1/users/registration-status                      200   200   200   200   200   200   200   200
PATCH  api/v1/users/<uuid:user_id>/profile                   401   401   401   401   401   401   401   401
GET    api/v1/prescriptions/connections/<uuid:connection_id> 401   200   200   404   404   404   403   401
POST   api/v1/prescriptions/connections/<uuid:connection_id> 401   403   201   404   404   404   403   401
POST   api/v1/qr/scan                                        401   200   403   200   403   403   403   401
POST   api/v1/qr/validate                                    401   200   200   200   200   200   403   401
POST   api/v1/qr/verify                                      200   200   200   200   200   200   200   200
GET    api/v1/auth/sessions                                  401   200   200   200   200   200   200   401
DELETE api/v1/auth/sessions/<uuid:pk>                        401   204   404   404   404   404   404   401
GET    api/v1/specializations                                200   200   200   200   200   200   200   200
GET    api/v1/specializations/<uuid:pk>                      200   200   200   200   200   200   200   200
GET    api/v1/requests/connections                           401   200   200   200   200   200   403   401
GET    api/v1/requests/connections/<uuid:pk>                 401   200   200   404   404   404   403   401
PUT    api/v1/requests/connections/<uuid:pk>/deactivate      401   200   200   404   404   404   403   401
GET    api/v1/prescriptions/my-prescriptions                 401   200   200   200   200   200   403   401
GET    api/v1/prescriptions/patients/<uuid:patient_id>       401   200   200   404   404   404   403   401
GET    api/v1/prescriptions/<uuid:pk>                        401   200   200   404   404   404   403   401
GET    api/v1/prescriptions/<uuid:pk>/pdf                    401   200   200   404   404   404   403   401
GET    api/v1/notifications                                  401   200   200   200   200   200   403   401
PUT    api/v1/notifications/read-all                         401   200   200   200   200   200   403   401
GET    api/v1/notifications/unread/count                     401   200   200   200   200   200   403   401
DELETE api/v1/notifications/<uuid:pk>                        401   204   404   404   404   404   403   401
PUT    api/v1/notifications/<uuid:pk>/read                   401   200   404   404   404   404   403   401
GET    api/v1/qr/active                                      401   200   200   200   200   200   403   401
POST   api/v1/qr/generate                                    401   403   201   403   201   403   403   401
DELETE api/v1/qr/<uuid:pk>                                   401   404   204   404   404   404   403   401
GET    api/schema                                            200   200   200   200   200   200   200   200
GET    api/docs                                              200   200   200   200   200   200   200   200
GET    api/redoc                                             200   200   200   200   200   200   200   200
GET    healthz                                               200   200   200   200   200   200   200   200
GET    readyz                                                200   200   200   200   200   200   200   200
"""


@dataclass
class World:
    """Everybody, signed in, and one of everything that a route names."""

    apps: dict[str, Client]
    browsers: dict[str, Client]
    arguments: dict[str, Any]
    queries: dict[str, str]
    bodies: dict[str, dict[str, Any]]

    def ask(self, who: str, method: str, route: str) -> str:
        """The status of the answer, undone afterwards; `login` for the way to the login page."""
        is_api = route.startswith("api/")
        client = (self.apps if is_api else self.browsers)[who]
        send = getattr(client, method.lower())
        cookies = SimpleCookie(client.cookies.output(header="", sep=";"))
        cache.clear()
        with transaction.atomic():
            answer = send(self.path(route), self.bodies.get(f"{method} {route}", {}))
            transaction.set_rollback(True)
        client.cookies = cookies
        if answer.status_code == 302 and answer["Location"].startswith("/login"):
            return "login"
        return str(answer.status_code)

    def path(self, route: str) -> str:
        """The route with the ids of this world in it."""
        path = route
        for placeholder, value in self.arguments.items():
            where, _, name = placeholder.rpartition(" ")
            if route.startswith(where):
                path = path.replace(name, str(value))
        assert "<" not in path, f"The world has nothing for {route}."
        return f"/{path}{self.queries.get(route, '')}"


@pytest.fixture
def world(
    connection: Connection, stranger: User, other_doctor: User, admin: User
) -> World:
    patient, doctor = connection.patient, connection.doctor
    people = {
        "anonymous": None,
        "patient": patient,
        "doctor": doctor,
        "stranger": stranger,
        "other_doctor": other_doctor,
        "admin": admin,
        "pending": DoctorFactory(status=Status.PENDING_APPROVAL),
        "suspended": PatientFactory(),
    }
    apps = {who: api_client(user) for who, user in people.items()}
    browsers = {who: page_client(user) for who, user in people.items()}
    User.objects.filter(pk=people["suspended"].pk).update(status=Status.SUSPENDED)
    prescription = issue(connection)
    session = sign_in(patient)
    scanned = show_code(other_doctor).secret
    waiting = registering(email="a@example.org")
    begun = start_registration(role=Role.PATIENT, language="en")
    OneTimeCode.objects.update(sent_at=timezone.now() - OneTimeCode.RESEND_AFTER)
    ids = {
        "api/v1/auth/sessions <uuid:pk>": session.pk,
        "sessions <uuid:pk>": session.pk,
        "api/v1/specializations <uuid:pk>": doctor.doctor_profile.specialization_id,
        "api/v1/requests <uuid:pk>": connection.pk,
        "api/v1/prescriptions <uuid:pk>": prescription.pk,
        "api/v1/notifications <uuid:pk>": Notification.objects.get(recipient=patient).pk,
        "api/v1/qr <uuid:pk>": show_code(doctor).token.pk,
        " <uuid:user_id>": patient.pk,
        " <uuid:patient_id>": patient.pk,
        " <uuid:connection_id>": connection.pk,
        " <uuid:prescription_id>": prescription.pk,
        " <uuid:notification_id>": Notification.objects.get(recipient=patient).pk,
        " <uuid:token_id>": show_code(doctor).token.pk,
        " <str:token>": scanned,
        " <str:code>": prescription.verification_code,
    }
    queries = {
        "verify/<str:code>": f"?v=1&h={prescription.printed_hash}",
        "api/v1/users/registration-status": f"?registration_id={waiting.pk}",
    }
    bodies = bodies_of(patient, prescription, scanned, waiting, begun, session)
    return World(apps, browsers, ids, queries, bodies)


def bodies_of(patient, prescription, scanned, waiting, begun, session) -> dict[str, Any]:
    """A right body for each route that asks for one."""
    medicine = {"medicine": "Amlodipine", "frequency": 1, "quantity": 30}
    registered = {
        "email": "b@example.org",
        "password": PASSWORD,
        "first_name": "Layla",
        "last_name": "Hassan",
    }
    return {
        "POST api/v1/auth/register/init": {"role": "PATIENT"},
        "POST api/v1/auth/register/basic": registered
        | {"registration_id": str(begun.pk), "confirm_password": PASSWORD},
        "POST api/v1/auth/register/verify-email": {
            "registration_id": str(waiting.pk),
            "otp": code_of(waiting),
        },
        "POST api/v1/auth/resend-otp": {"id": str(waiting.pk), "type": "EMAIL_VERIFICATION"},
        "POST api/v1/auth/login": {"email": patient.email, "password": PASSWORD},
        "POST api/v1/auth/refresh": {
            "refresh_token": token_pair(session, now=timezone.now())["refresh_token"]
        },
        "POST api/v1/prescriptions/connections/<uuid:connection_id>": {"items": [medicine]},
        "PATCH api/v1/users/profile": {"first_name": "New"},
        "POST api/v1/qr/generate": {"type": "CONNECTION"},
        "POST api/v1/qr/scan": {"token": scanned, "confirm": True},
        "POST api/v1/qr/validate": {"token": scanned},
        "POST api/v1/qr/verify": {
            "code": prescription.verification_code,
            "version": 1,
            "content_hash": prescription.printed_hash,
        },
        "POST login": {"email": patient.email, "password": PASSWORD},
        "POST register": {"role": "PATIENT"},
        "POST language": {"language": "ar"},
        "POST qr": {"expiry_minutes": 5},
        "POST scan": {"token": scanned},
        "POST profile": {
            "first_name": "New", "last_name": "Name", "phone": "+201001234567",
            "language": "en", "time_zone": "Africa/Cairo",
        },
        "POST connections/<uuid:connection_id>/prescribe": {
            "valid_until": clinic_date().isoformat(), "diagnosis": "", "notes": "",
            "client_id": str(prescription.pk),
            "items-TOTAL_FORMS": 1, "items-INITIAL_FORMS": 0, "items-MIN_NUM_FORMS": 1,
            "items-MAX_NUM_FORMS": 30, "items-0-medicine": "Amlodipine", "items-0-strength": "",
            "items-0-route": "ORAL", "items-0-frequency": 1, "items-0-frequency_unit": "DAY",
            "items-0-duration_days": "", "items-0-quantity": 1, "items-0-refills": 0,
            "items-0-instructions": "",
        },
    }  # fmt: skip


def lines() -> dict[tuple[str, str], list[str]]:
    """The table: method and route to the statuses, in the order of the cast."""
    rows = [line.split() for line in TABLE.strip().splitlines() if not line.startswith("#")]
    return {(method, "" if route == "/" else route): cells for method, route, *cells in rows}


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every route with its view; the admin's have a rule of their own below."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from routes(pattern.url_patterns, route)
        else:
            yield route, pattern.callback


def declared_methods(view: Any) -> set[str] | None:
    """What a class-based view answers to; None for a function, which does not tell."""
    actions = getattr(view, "actions", None)
    if actions:
        return {method.upper() for method in actions} & set(METHODS)
    cls = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if cls is None:
        return None
    return {name.upper() for name in cls.http_method_names if hasattr(cls, name)} & set(METHODS)


SITE = dict(routes(get_resolver().url_patterns))


def test_every_line_is_about_a_route_that_exists() -> None:
    assert [route for _, route in lines() if route not in SITE] == []


@pytest.mark.parametrize("route", SITE)
def test_every_method_of_every_route_is_in_the_table(world: World, route: str) -> None:
    listed = {method for method, name in lines() if name == route}
    offered = declared_methods(SITE[route])
    if offered is None:
        offered = {method for method in METHODS if world.ask("patient", method, route) != "405"}

    assert listed == offered


@pytest.mark.parametrize(("method", "route"), lines(), ids=lambda part: part or "home")
def test_everyone_gets_what_the_table_says(world: World, method: str, route: str) -> None:
    expected = dict(zip(CAST, lines()[method, route], strict=True))

    answers = {who: world.ask(who, method, route) for who in CAST}

    assert answers == expected


def admin_routes(patterns: list[Any], prefix: str = "admin/") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from admin_routes(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern)


ADMIN_ROUTES = sorted(set(admin_routes(django_admin.site.urls[0])))


def admin_path(route: str) -> str:
    """An address of the admin's route; its last catches everything else by an expression."""
    for placeholder, value in (
        ("<path:object_id>", "1"),
        ("<int:content_type_id>", "1"),
        ("<path:content_type_id>", "1"),
    ):
        route = route.replace(placeholder, value)
    if "^" in route or "(?P" in route:
        route = "admin/accounts/"
    assert "<" not in route
    return f"/{route}"


@pytest.mark.parametrize("route", ADMIN_ROUTES)
def test_admin_opens_to_nobody_but_administrators(world: World, route: str) -> None:
    answers = {
        (who, method): getattr(world.browsers[who], method)(admin_path(route)).status_code
        for who in CAST
        if who != "admin"
        for method in ("get", "post")
    }

    assert set(answers.values()) <= {302, 404}, answers


@pytest.mark.parametrize(
    "model", list(django_admin.site._registry), ids=lambda model: model._meta.label
)
def test_administrators_see_every_list_of_the_admin(world: World, model: Any) -> None:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"

    assert world.browsers["admin"].get(reverse(name)).status_code == 200


def test_administrators_see_the_index(world: World) -> None:
    assert world.browsers["admin"].get("/admin/").status_code == 200


def test_suspended_administrator_sees_nothing(world: World, admin: User) -> None:
    User.objects.filter(pk=admin.pk).update(status=Status.SUSPENDED)

    assert world.browsers["admin"].get("/admin/").status_code == 302


@pytest.mark.parametrize("model", list(django_admin.site._registry))
def test_admin_shows_no_clinical_row_to_be_changed(model: Any) -> None:
    assert model._meta.app_label not in {"prescriptions", "records", "chat", "audit"}


def test_onboarding_token_opens_its_own_step_and_no_other(world: World) -> None:
    """The one route that the cast's own tokens do not open."""
    mine, yours = verified(email="c@example.org"), verified(email="d@example.org")
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {onboarding_token(mine)}")
    details = {"phone": "+201001234567", "national_id": "29005170100123"}

    answers = [
        client.patch(f"/api/v1/users/{user.pk}/profile", details).status_code
        for user in (yours, mine)
    ]

    assert answers == [403, 200]
