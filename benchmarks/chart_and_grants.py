"""How what patients share is read among a million prescriptions: see README.md.

python benchmarks/chart_and_grants.py

Asks for DATABASE_URL of a server that may be filled and thrown away, with the demonstration made
in it (`manage.py demo --scale 4000`). Gives a grant on every connection that stands, then prints
for each question its plan's scans and its median time, and fails where a table is read whole.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import django

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medisync.settings")
django.setup()

from django.db import connection  # noqa: E402
from django.db.models import QuerySet  # noqa: E402

from connections.models import Connection, DataCategory  # noqa: E402
from prescriptions.models import Prescription  # noqa: E402

ROUNDS = 50
GRANTS = """
    INSERT INTO connections_accessgrant
        (id, created_at, connection_id, categories, purpose, end_reason)
    SELECT gen_random_uuid(), now(), id, %s::varchar(20)[], 'TREATMENT', ''
    FROM connections_connection AS pair
    WHERE status = 'ACTIVE' AND NOT EXISTS (
        SELECT FROM connections_accessgrant WHERE connection_id = pair.id AND ended_at IS NULL
    )
"""
LARGE = {"prescriptions_prescription", "connections_accessgrant", "connections_connection"}


def main() -> None:
    with connection.cursor() as cursor:
        cursor.execute(GRANTS, [DataCategory.values])
        cursor.execute("ANALYZE")
    print(f"{Prescription.objects.count():,} prescriptions")
    found = [ask(name, rows) for name, rows in questions().items()]
    sys.exit(0 if all(found) else "A table was read whole.")


def questions() -> dict[str, QuerySet[Any]]:
    pair = Connection.objects.active().select_related("doctor", "patient").order_by("pk").first()
    assert pair is not None
    doctor, patient = pair.doctor, pair.patient
    seen = Prescription.objects.visible_to(doctor)
    one = Prescription.objects.filter(patient=patient).exclude(doctor=doctor).first()
    return {
        "a doctor's own": seen.issued_by(doctor)[:21],
        "others' of one patient": seen.filter(patient=patient).exclude(doctor=doctor)[:101],
        "all of one patient": seen.filter(patient=patient)[:21],
        "one by its id": seen.filter(pk=one.pk if one else pair.pk),
        "a patient's own": Prescription.objects.visible_to(patient)[:21],
    }


def ask(name: str, rows: QuerySet[Any]) -> bool:
    plan = json.loads(rows.explain(format="json", analyze=True))[0]["Plan"]
    whole = {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        list(rows.all())
        times.append(time.perf_counter() - began)
    print(f"{name:<24} {1000 * statistics.median(times):7.2f} ms  whole: {whole & LARGE or '–'}")
    return not whole & LARGE


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", []) for node in nodes(part))]


if __name__ == "__main__":
    main()
