"""The WSGI application: HTTP only, for servers that speak WSGI (`docs/deploy.md`)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medisync.settings")

application = get_wsgi_application()
