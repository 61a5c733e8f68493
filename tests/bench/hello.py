"""The yardstick of the pages: Django saying hello, with nothing else (no middleware, no session, no database).

The same processes, the same web server and the same load as the product's pages; whatever a page adds shows.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    LOGGING_CONFIG=None,
    MIDDLEWARE=[],
    ROOT_URLCONF=__name__,
    SECRET_KEY="hello",
)


def hello(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("Bonjour")


urlpatterns = [path("bonjour", hello)]

from django.core.wsgi import get_wsgi_application  # noqa: E402 - reads the settings above

application = get_wsgi_application()
