"""What gunicorn serves."""

import os
import time

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

site = get_wsgi_application()

# Only now: what it stands on wants the models.
from config import halves  # noqa: E402
from config.doorstep import before  # noqa: E402

halves.clear(now=time.time())
application = before(site)
