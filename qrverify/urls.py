from django.urls import path

from qrverify import views

urlpatterns = [
    path("qr", views.QrShow.as_view(), name="qr-show"),
    path("qr/<uuid:token_id>/revoke", views.qr_revoke, name="qr-revoke"),
    path("scan", views.QrScan.as_view(), name="qr-scan"),
    path("scan/<str:token>", views.qr_preview, name="qr-preview"),
    path("verify/<str:code>", views.verify, name="verify"),
]
