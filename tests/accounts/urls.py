"""The house, and a few pages to try its doors with."""

from django.http import HttpResponse
from django.urls import path

from coordination.accounts.decorators import recently_authenticated
from coordination.urls import urlpatterns as house


def page(request):
    return HttpResponse(f"Bonjour {request.user.given_name}")


@recently_authenticated(act="essayer une page")
def sensitive(request):
    return HttpResponse(f"fait {request.POST.get('motif', '')}")


urlpatterns = [path("page-essai/", page), path("page-sensible/", sensitive), *house]
