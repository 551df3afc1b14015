"""How the directory follows what is written elsewhere: triggers, whoever writes.

Each looks at which doctors a statement concerns. Their accounts are locked before anything is
read, so of two writers, one of the name and one of the practice, the later sees what both wrote.
"""

from __future__ import annotations

import pgtrigger

from specializations.models import NEW_VERSION

# The governorates, as people of either language search for them.
GOVERNORATES = {
    "EG-ALX": "Alexandria الإسكندرية",
    "EG-ASN": "Aswan أسوان",
    "EG-AST": "Asyut أسيوط",
    "EG-BH": "Beheira البحيرة",
    "EG-BNS": "Beni Suef بني سويف",
    "EG-C": "Cairo القاهرة",
    "EG-DK": "Dakahlia الدقهلية",
    "EG-DT": "Damietta دمياط",
    "EG-FYM": "Faiyum الفيوم",
    "EG-GH": "Gharbia الغربية",
    "EG-GZ": "Giza الجيزة",
    "EG-IS": "Ismailia الإسماعيلية",
    "EG-KFS": "Kafr El Sheikh كفر الشيخ",
    "EG-LX": "Luxor الأقصر",
    "EG-MT": "Matrouh مطروح",
    "EG-MN": "Minya المنيا",
    "EG-MNF": "Monufia المنوفية",
    "EG-WAD": "New Valley الوادي الجديد",
    "EG-SIN": "North Sinai شمال سيناء",
    "EG-PTS": "Port Said بورسعيد",
    "EG-KB": "Qalyubia القليوبية",
    "EG-KN": "Qena قنا",
    "EG-BA": "Red Sea البحر الأحمر",
    "EG-SHR": "Sharqia الشرقية",
    "EG-SHG": "Sohag سوهاج",
    "EG-JS": "South Sinai جنوب سيناء",
    "EG-SUZ": "Suez السويس",
}
GOVERNORATE = "CASE profile.governorate {cases} ELSE '' END".format(
    cases=" ".join(f"WHEN '{code}' THEN '{names}'" for code, names in GOVERNORATES.items())
)
LISTED = "who.role = 'DOCTOR' AND who.status = 'ACTIVE'"
# Made of the constants above and of this module alone, as all SQL here.
RELIST = f"""
    IF cardinality(changed) = 0 THEN RETURN NULL; END IF;
    PERFORM FROM accounts_user WHERE id = ANY (changed) ORDER BY id FOR NO KEY UPDATE;
    DELETE FROM accounts_directoryentry AS entry WHERE doctor_id = ANY (changed) AND NOT EXISTS (
        SELECT FROM accounts_user AS who
        JOIN accounts_doctorprofile AS profile ON profile.user_id = who.id
        WHERE who.id = entry.doctor_id AND {LISTED}
    );
    INSERT INTO accounts_directoryentry
        (doctor_id, document, specialization_id, governorate, fee)
    SELECT
        who.id,
        array_to_tsvector(
            ARRAY(SELECT '=' || word FROM unnest(called) AS word) || called
            || ARRAY(SELECT '@' || word FROM unnest(town) AS word) || town
            || ARRAY(SELECT '~' || code FROM unnest(profile.languages) AS code)
            || search_words({GOVERNORATE}) || profile.specialization_id::text
        ),
        profile.specialization_id, profile.governorate, profile.consultation_fee
    FROM accounts_user AS who
    JOIN accounts_doctorprofile AS profile ON profile.user_id = who.id,
    search_words(who.first_name || ' ' || who.last_name) AS called,
    search_words(profile.city) AS town
    WHERE who.id = ANY (changed) AND {LISTED}
    ON CONFLICT (doctor_id) DO UPDATE SET
        document = excluded.document,
        specialization_id = excluded.specialization_id,
        governorate = excluded.governorate,
        fee = excluded.fee;
    INSERT INTO accounts_directoryword (word)
    SELECT DISTINCT word
    FROM accounts_directoryentry, unnest(tsvector_to_array(document)) AS word
    WHERE doctor_id = ANY (changed) AND word !~ '[=@~-]'
    ORDER BY word
    ON CONFLICT DO NOTHING;
    RETURN NULL;
"""  # noqa: S608


def _seeing(*, new: str | None = None, old: str | None = None) -> pgtrigger.Referencing:
    """The names under which a trigger finds the rows of its statement."""
    return pgtrigger.Referencing(new=new, old=old)  # type: ignore[no-untyped-call]


def _after(
    name: str, operation: pgtrigger.Operation, body: str, rows: pgtrigger.Referencing
) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=rows,
        declare=[("changed", "uuid[]")],
        func=body,
    )


def _relisting(operation: pgtrigger.Operation, doctors: str) -> pgtrigger.Trigger:
    """After an insertion or update, list anew the doctors that a query over the rows names."""
    is_update = operation == pgtrigger.Update
    return _after(
        f"relists_on_{str(operation).lower()}",
        operation,
        f"changed := ARRAY({doctors}); {RELIST}",
        _seeing(new="new_rows", old="old_rows" if is_update else None),
    )


def _compared(doctor: str, columns: tuple[str, ...], condition: str = "true") -> str:
    """The doctors of the rows in which any of the columns is another now."""
    old, new = (", ".join(f"{row}.{name}" for name in columns) for row in ("o", "n"))
    return f"""
        SELECT n.{doctor} FROM new_rows AS n JOIN old_rows AS o USING (id)
        WHERE {condition} AND ({old}) IS DISTINCT FROM ({new})
    """  # noqa: S608


LISTING_OF_USERS = [
    _relisting(pgtrigger.Insert, "SELECT id FROM new_rows WHERE role = 'DOCTOR'"),
    _relisting(
        pgtrigger.Update,
        _compared(
            "id",
            ("first_name", "last_name", "role", "status"),
            "'DOCTOR' IN (o.role, n.role)",
        ),
    ),
]
LISTING_OF_PROFILES = [
    _relisting(pgtrigger.Insert, "SELECT user_id FROM new_rows"),
    _relisting(
        pgtrigger.Update,
        _compared(
            "user_id",
            ("specialization_id", "city", "governorate", "languages", "consultation_fee"),
        ),
    ),
    _after(
        "unlists_on_delete",
        pgtrigger.Delete,
        f"changed := ARRAY(SELECT user_id FROM old_rows); {RELIST}",  # noqa: S608
        _seeing(old="old_rows"),
    ),
]


def _counting(
    name: str, operation: pgtrigger.Operation, rows: pgtrigger.Referencing
) -> pgtrigger.Trigger:
    """The catalogue shows how many doctors are listed, so it is another one now."""
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=rows,
        func=f"IF NOT EXISTS (SELECT FROM changed) THEN RETURN NULL; END IF; {NEW_VERSION}",
    )


CATALOGUE_COUNTS = [
    _counting("counts_listed", pgtrigger.Insert, _seeing(new="changed")),
    _counting("counts_moved", pgtrigger.Update, _seeing(new="changed")),
    _counting("counts_gone", pgtrigger.Delete, _seeing(old="changed")),
]
