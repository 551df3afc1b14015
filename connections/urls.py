from django.urls import path

from connections.views import access_log, connections, directory, grants, requests

urlpatterns = [
    path("doctors", directory.doctor_list, name="doctor-list"),
    path("doctors/<uuid:doctor_id>", directory.doctor_detail, name="doctor-detail"),
    path(
        "doctors/<uuid:doctor_id>/request",
        requests.RequestCreate.as_view(),
        name="request-create",
    ),
    path("requests", requests.request_list, name="request-list"),
    path("requests/<uuid:request_id>", requests.request_detail, name="request-detail"),
    path("requests/<uuid:request_id>/image", requests.request_image, name="request-image"),
    path("requests/<uuid:request_id>/accept", requests.request_accept, name="request-accept"),
    path("requests/<uuid:request_id>/reject", requests.request_reject, name="request-reject"),
    path("requests/<uuid:request_id>/cancel", requests.request_cancel, name="request-cancel"),
    path("connections", connections.connection_list, name="connection-list"),
    path("connections/<uuid:connection_id>/end", connections.connection_end, name="connection-end"),
    path(
        "connections/<uuid:connection_id>/availability",
        connections.SetAvailability.as_view(),
        name="connection-availability",
    ),
    path(
        "connections/<uuid:connection_id>/unblock",
        connections.connection_unblock,
        name="connection-unblock",
    ),
    path("people/<uuid:person_id>/block", connections.connection_block, name="connection-block"),
    path("connections/<uuid:connection_id>/sharing", grants.GrantEdit.as_view(), name="grant-edit"),
    path("grants/<uuid:grant_id>/renew", grants.grant_renew, name="grant-renew"),
    path("grants/<uuid:grant_id>/revoke", grants.grant_revoke, name="grant-revoke"),
    path("access-log", access_log.access_log_page, name="access-log"),
    path(
        "access-log/<uuid:event_id>/question",
        access_log.Question.as_view(),
        name="access-question",
    ),
]
