"""However large the log is, a patient's own page of it goes by an index.

`benchmarks/audit_chain.py` measures it with a million; here the plans among some thousands do.
"""

from __future__ import annotations

from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import connection

from audit.models import AccessEvent, AccessEventQuerySet
from audit.services import access_event, record_accesses
from specializations.models import Specialization

pytestmark = pytest.mark.django_db
PATIENT = uuid4()
ROWS = 8_000


@pytest.fixture
def mine() -> AccessEventQuerySet:
    """One row in a hundred is the patient's; of those, one in ten somebody else's act."""
    own, others = AccessEvent.Basis.SELF, AccessEvent.Basis.CARE
    crowd = [uuid4() for _ in range(100)]
    record_accesses(
        access_event(
            patient_id=(who := PATIENT if number % 100 == 0 else crowd[number % 100]),
            actor_id=uuid4() if number % 1000 == 0 else who,
            action=AccessEvent.Action.READ,
            target=Specialization(id=uuid4()),
            basis=others if number % 1000 == 0 else own,
        )
        for number in range(ROWS)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_accessevent")
    return AccessEvent.objects.visible_to(SimpleNamespace(pk=PATIENT))


def plan(rows: AccessEventQuerySet) -> str:
    found: str = rows[:21].explain()
    assert "Seq Scan" not in found, found
    return found


def test_own_log_goes_by_its_index_on_every_page(mine: AccessEventQuerySet) -> None:
    middle = mine[ROWS // 200].pk

    assert "access_by_patient" in plan(mine)
    assert "access_by_patient" in plan(mine.filter(pk__lt=middle))


def test_what_others_did_goes_by_an_index_of_its_own(mine: AccessEventQuerySet) -> None:
    assert mine.by_others().count() == ROWS // 1000
    assert "access_by_others" in plan(mine.by_others())
