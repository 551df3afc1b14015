from django.urls import path

from prescriptions.views import (
    amending,
    codes,
    detail,
    issuing,
    medicines,
    orders,
    refills,
    stopping,
    templates,
)

urlpatterns = [
    path("prescriptions", orders.prescription_list, name="prescription-list"),
    path(
        "prescriptions/<uuid:prescription_id>",
        detail.prescription_detail,
        name="prescription-detail",
    ),
    path(
        "prescriptions/<uuid:prescription_id>/pdf",
        orders.prescription_pdf,
        name="prescription-pdf",
    ),
    path(
        "connections/<uuid:connection_id>/prescribe",
        issuing.IssuePage.as_view(),
        name="prescription-issue",
    ),
    path(
        "prescriptions/<uuid:prescription_id>/amend",
        amending.AmendPage.as_view(),
        name="prescription-amend",
    ),
    path(
        "prescriptions/<uuid:prescription_id>/stop",
        stopping.StopPage.as_view(),
        name="prescription-stop",
    ),
    path("prescription-templates", templates.template_list, name="prescription-templates"),
    path("prescription-templates/new", templates.template_edit, name="prescription-template-new"),
    path(
        "prescription-templates/<uuid:template_id>",
        templates.template_edit,
        name="prescription-template",
    ),
    path(
        "prescription-templates/<uuid:template_id>/delete",
        templates.template_delete,
        name="prescription-template-delete",
    ),
    path("medicines", medicines.medicine_suggestions, name="medicine-suggestions"),
    path(
        "prescriptions/<uuid:prescription_id>/code",
        codes.prescription_code,
        name="prescription-code",
    ),
    path(
        "prescriptions/<uuid:prescription_id>/claims/<uuid:claim_id>/dispute",
        codes.prescription_dispute,
        name="prescription-dispute",
    ),
    path(
        "prescriptions/<uuid:prescription_id>/refill",
        refills.RefillRequestPage.as_view(),
        name="prescription-refill",
    ),
    path("refills", refills.refill_list, name="refill-list"),
    path(
        "refills/<uuid:request_id>/decline",
        refills.DeclinePage.as_view(),
        name="refill-decline",
    ),
    path("refills/<uuid:request_id>/cancel", refills.refill_cancel, name="refill-cancel"),
]
