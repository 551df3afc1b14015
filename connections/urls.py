from django.urls import path

from connections import views

urlpatterns = [
    path("connections", views.connection_list, name="connection-list"),
    path("connections/<uuid:connection_id>/end", views.connection_end, name="connection-end"),
]
