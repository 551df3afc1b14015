"""Every address of MediSync. Pages and the API name the same things."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from medisync import connection_page, design, devinbox, docs, health, home, links
from medisync.chart import pages as chart

urlpatterns = [
    path("", home.home, name="home"),
    path("", include("accounts.urls")),
    path("", include("notifications.urls")),
    path("", include("connections.urls")),
    path(
        "connections/<uuid:connection_id>",
        connection_page.connection_detail,
        name="connection-detail",
    ),
    path("connections/<uuid:connection_id>/preview", chart.grant_preview, name="grant-preview"),
    path("patients/<uuid:patient_id>", chart.patient_chart, name="patient-chart"),
    path("patients/<uuid:patient_id>/summary.pdf", chart.patient_summary, name="patient-summary"),
    path("files/<str:token>", links.issued_file, name="issued-file"),
    path("", include("prescriptions.urls")),
    path("", include("chat.urls")),
    path("", include("qrverify.urls")),
    path("api/v1/", include("medisync.api")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/asyncapi", docs.AsyncAPIView.as_view(), name="asyncapi"),
    path("api/docs", login_not_required(docs.SwaggerView.as_view()), name="swagger"),
    path("api/redoc", login_not_required(docs.RedocView.as_view()), name="redoc"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
]

if settings.DEBUG:
    urlpatterns += [
        path("design", design.design, name="design"),
        path("dev/inbox", devinbox.inbox, name="dev-inbox"),
        path("dev/inbox.json", devinbox.inbox_json, name="dev-inbox-json"),
        path("dev/inbox/<str:message_id>", devinbox.inbox_message, name="dev-inbox-message"),
    ]

handler400 = "medisync.views.bad_request"
handler403 = "medisync.views.permission_denied"
handler404 = "medisync.views.page_not_found"
handler500 = "medisync.views.server_error"
