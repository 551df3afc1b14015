from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QrverifyConfig(AppConfig):
    name = "qrverify"
    verbose_name = _("QR codes")
