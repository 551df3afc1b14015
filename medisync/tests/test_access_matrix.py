"""Who gets what: every route with every method, for the whole cast.

The table is complete by construction: a route or method that the URL resolver knows and the
table does not is a failing test, and so is a line about a route that is gone. To add a route,
add its lines; to change who may do something, change a column, and think.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import DoctorProfile, Status, User
from accounts.tests.registering import verified
from accounts.tokens import onboarding_token
from medisync.tests.client import api_client
from medisync.tests.world import CAST, World

pytestmark = pytest.mark.django_db
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# "in" is a redirect to the login page. Where a body is asked for, a right one is sent.
TABLE = """
#                                                       ano pat doc str oth adm pen sus
GET    /                                                200 200 200 200 200 302 200 200
GET    login                                            200 302 302 302 302 302 302 200
POST   login                                            302 302 302 302 302 302 302 302
POST   logout                                           in  in  in  in  in  in  in  in
GET    register                                         200 302 302 302 302 302 302 200
POST   register                                         302 302 302 302 302 302 302 302
GET    register/details                                 302 302 302 302 302 302 302 302
POST   register/details                                 302 302 302 302 302 302 302 302
GET    register/verify                                  302 302 302 302 302 302 302 302
POST   register/verify                                  302 302 302 302 302 302 302 302
POST   register/resend                                  302 302 302 302 302 302 302 302
GET    register/profile                                 302 302 302 302 302 302 302 302
POST   register/profile                                 302 302 302 302 302 302 302 302
GET    register/done                                    in  200 200 200 200 200 200 in
GET    profile                                          in  200 200 200 200 200 200 in
POST   profile                                          in  302 302 302 302 302 302 in
GET    sessions                                         in  200 200 200 200 200 200 in
POST   sessions/<pk>/revoke                             in  302 404 404 404 404 404 in
POST   language                                         302 302 302 302 302 302 302 302
GET    notifications                                    in  200 200 200 200 200 200 in
POST   notifications/read-all                           in  302 302 302 302 302 302 in
POST   notifications/<notification_id>/open             in  302 404 404 404 404 404 in
POST   notifications/<notification_id>/delete           in  302 404 404 404 404 404 in
GET    connections                                      in  200 200 200 200 200 403 in
POST   connections/<connection_id>/end                  in  302 302 404 404 404 403 in
GET    connections/<connection_id>                      in  200 200 404 404 404 403 in
GET    prescriptions                                    in  200 200 200 200 200 403 in
GET    prescriptions/<prescription_id>                  in  200 200 404 404 404 403 in
GET    prescriptions/<prescription_id>/pdf              in  200 200 404 404 404 403 in
GET    connections/<connection_id>/prescribe            in  403 200 404 404 404 403 in
POST   connections/<connection_id>/prescribe            in  403 302 404 404 404 403 in
GET    qr                                               in  403 200 403 200 403 403 in
POST   qr                                               in  403 200 403 200 403 403 in
POST   qr/<token_id>/revoke                             in  404 302 404 404 404 403 in
GET    scan                                             in  200 403 200 403 403 403 in
POST   scan                                             in  302 403 302 403 403 403 in
GET    scan/<token>                                     in  200 403 200 403 403 403 in
POST   scan/<token>                                     in  302 403 302 403 403 403 in
GET    verify/<code>                                    200 200 200 200 200 200 200 200
POST   api/v1/auth/register/init                        201 201 201 201 201 201 201 201
POST   api/v1/auth/register/basic                       201 201 201 201 201 201 201 201
POST   api/v1/auth/register/verify-email                200 200 200 200 200 200 200 200
POST   api/v1/auth/resend-otp                           204 204 204 204 204 204 204 204
POST   api/v1/auth/login                                200 200 200 200 200 200 200 200
POST   api/v1/auth/refresh                              200 200 200 200 200 200 200 200
POST   api/v1/auth/logout                               401 204 204 204 204 204 204 401
GET    api/v1/users/profile                             401 200 200 200 200 200 200 401
PATCH  api/v1/users/profile                             401 200 403 200 403 200 403 401
GET    api/v1/users/registration-status                 200 200 200 200 200 200 200 200
PATCH  api/v1/users/<user_id>/profile                   401 401 401 401 401 401 401 401
GET    api/v1/prescriptions/connections/<connection_id> 401 200 200 404 404 404 403 401
POST   api/v1/prescriptions/connections/<connection_id> 401 403 201 404 404 404 403 401
POST   api/v1/qr/scan                                   401 200 403 200 403 403 403 401
POST   api/v1/qr/validate                               401 200 200 200 200 200 403 401
POST   api/v1/qr/verify                                 200 200 200 200 200 200 200 200
GET    api/v1/auth/sessions                             401 200 200 200 200 200 200 401
DELETE api/v1/auth/sessions/<pk>                        401 204 404 404 404 404 404 401
GET    api/v1/specializations                           200 200 200 200 200 200 200 200
GET    api/v1/specializations/<pk>                      200 200 200 200 200 200 200 200
GET    api/v1/requests/connections                      401 200 200 200 200 200 403 401
GET    api/v1/requests/connections/<pk>                 401 200 200 404 404 404 403 401
PUT    api/v1/requests/connections/<pk>/deactivate      401 200 200 404 404 404 403 401
GET    api/v1/prescriptions/my-prescriptions            401 200 200 200 200 200 403 401
GET    api/v1/prescriptions/patients/<patient_id>       401 200 200 404 404 404 403 401
GET    api/v1/prescriptions/<pk>                        401 200 200 404 404 404 403 401
GET    api/v1/prescriptions/<pk>/pdf                    401 200 200 404 404 404 403 401
GET    api/v1/notifications                             401 200 200 200 200 200 200 401
PUT    api/v1/notifications/read-all                    401 200 200 200 200 200 200 401
GET    api/v1/notifications/unread/count                401 200 200 200 200 200 200 401
DELETE api/v1/notifications/<pk>                        401 204 404 404 404 404 404 401
PUT    api/v1/notifications/<pk>/read                   401 200 404 404 404 404 404 401
GET    api/v1/qr/active                                 401 200 200 200 200 200 403 401
POST   api/v1/qr/generate                               401 403 201 403 201 403 403 401
DELETE api/v1/qr/<pk>                                   401 404 204 404 404 404 403 401
GET    api/schema                                       200 200 200 200 200 200 200 200
GET    api/docs                                         200 200 200 200 200 200 200 200
GET    api/redoc                                        200 200 200 200 200 200 200 200
GET    healthz                                          200 200 200 200 200 200 200 200
GET    readyz                                           200 200 200 200 200 200 200 200
"""


def lines() -> dict[tuple[str, str], list[str]]:
    """The table: method and route to the statuses, in the order of the cast."""
    rows = [line.split() for line in TABLE.strip().splitlines() if not line.startswith("#")]
    return {(method, "" if route == "/" else route): cells for method, route, *cells in rows}


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every route with its view; the admin's have a rule of their own below."""
    for pattern in patterns:
        route = prefix + re.sub(r"<\w+:", "<", str(pattern.pattern))
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


def admin_path(route: str, application: DoctorProfile) -> str:
    """An address of the admin's route, for an application that waits. The admin's last route
    catches everything else, by an expression."""
    if "(?P" in route:
        return "/admin/accounts/"
    route = route.replace("<slug:name>", "licence_document")
    return "/" + re.sub(r"<\w+:\w+>", str(application.pk), route)


@pytest.mark.parametrize("route", ADMIN_ROUTES)
def test_admin_opens_to_nobody_but_administrators(world: World, route: str) -> None:
    path = admin_path(route, DoctorProfile.objects.get(user__status=Status.PENDING_APPROVAL))

    answers = {
        (who, method): getattr(world.browsers[who], method)(path).status_code
        for who in CAST
        if who != "admin"
        for method in ("get", "post")
    }

    pending = {answers.pop(("pending", method)) for method in ("get", "post")}
    assert pending == ({302} if route == "admin/login/" else {403})
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
