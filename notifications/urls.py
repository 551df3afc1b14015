from django.urls import path

from notifications import views

urlpatterns = [
    path("notifications", views.notification_list, name="notification-list"),
    path("notifications/read-all", views.notification_read_all, name="notification-read-all"),
    path(
        "notifications/preferences",
        views.NotificationPreferences.as_view(),
        name="notification-preferences",
    ),
    path(
        "notifications/<uuid:notification_id>/open",
        views.notification_open,
        name="notification-open",
    ),
    path(
        "notifications/<uuid:notification_id>/delete",
        views.notification_delete,
        name="notification-delete",
    ),
]
