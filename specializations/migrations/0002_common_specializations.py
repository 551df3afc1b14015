"""The specialties everyone knows, so that a new installation can register doctors."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from specializations.catalogue import COMMON_SPECIALIZATIONS


def load(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    model = apps.get_model("specializations", "Specialization")
    model.objects.bulk_create(
        [
            model(
                code=entry.code,
                name_en=entry.name_en,
                name_ar=entry.name_ar,
                aliases=list(entry.aliases),
                description_en=entry.description_en,
                description_ar=entry.description_ar,
            )
            for entry in COMMON_SPECIALIZATIONS
        ]
    )


class Migration(migrations.Migration):
    dependencies = [("specializations", "0001_initial")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
