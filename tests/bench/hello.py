"""The yardsticks of the pages: Django saying hello, with the middleware that `startproject` writes, or with none.

The same processes, the same web server and the same load as the product's pages; whatever a page adds shows. The
calibration of the goals (0.155 ms in one process) is the first: with none, Django says hello in less than half.
"""

import os

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

STARTPROJECT = (
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    LOGGING_CONFIG=None,
    MIDDLEWARE=[] if os.environ.get("HELLO_BARE") else STARTPROJECT,
    ROOT_URLCONF=__name__,
    SECRET_KEY="hello",
)


def hello(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("Bonjour")


urlpatterns = [path("bonjour", hello)]

from django.core.wsgi import get_wsgi_application  # noqa: E402 - reads the settings above

application = get_wsgi_application()
