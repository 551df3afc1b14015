"""No route takes a token that is none: wherever one is asked for, 401 and nothing else."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from medisync.tests.client import api_client
from medisync.tests.test_access_matrix import lines
from medisync.tests.test_tokens import ATTACKS
from medisync.tests.world import World

# A route asks for a token where the table of who gets what turns the anonymous away by a 401.
GUARDED = [
    (method, route)
    for (method, route), cells in lines().items()
    if route.startswith("api/v1/") and cells[0] == "401"
]
# The one route that an onboarding token opens; an access token does not.
OWN_STEP = "api/v1/users/<user_id>/profile"


@pytest.mark.parametrize("attack", ATTACKS)
def test_token_opens_no_route_and_says_nothing_but_401(world: World, attack: str) -> None:
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {ATTACKS[attack]()}")
    opened = {}

    for method, route in GUARDED:
        if attack == "onboarding token" and route == OWN_STEP:
            continue
        cache.clear()
        body = world.bodies.get(f"{method} {route}", {})
        answer = getattr(client, method.lower())(world.path(route), body)
        codes = [error["code"] for error in answer.json().get("errors", [])]
        if (answer.status_code, codes) != (401, ["token_not_valid"]):
            opened[f"{method} {route}"] = (answer.status_code, codes)

    assert opened == {}


def test_many_routes_were_asked() -> None:
    """The control: the list above is not empty by mistake."""
    assert len(GUARDED) > 25
    assert ("GET", "api/v1/users/profile") in GUARDED
