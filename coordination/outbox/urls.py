from django.urls import path

from coordination.outbox import views

app_name = "outbox"

urlpatterns = [
    path("", views.mailbox, name="mailbox"),
    path("<uuid:mail_id>/", views.read_mail, name="read_mail"),
]
