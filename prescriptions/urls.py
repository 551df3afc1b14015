from django.urls import path

from prescriptions import views

urlpatterns = [
    path("prescriptions", views.prescription_list, name="prescription-list"),
    path(
        "prescriptions/<uuid:prescription_id>",
        views.prescription_detail,
        name="prescription-detail",
    ),
    path(
        "prescriptions/<uuid:prescription_id>/pdf",
        views.prescription_pdf,
        name="prescription-pdf",
    ),
    path(
        "connections/<uuid:connection_id>/prescribe",
        views.prescription_issue,
        name="prescription-issue",
    ),
]
