from django.urls import path, re_path

from coordination.fhir import views

app_name = "fhir"

_TYPE = r"(?P<type_name>[A-Z][A-Za-z]{1,40})"
_ID = r"(?P<id>[A-Za-z0-9\-.]{1,64})"

urlpatterns = [
    path("OperationDefinition/export", views.ExportDefinition.as_view(), name="export_definition"),
    re_path(rf"^{_TYPE}/{_ID}$", views.OfId.as_view(), name="resource"),
    re_path(rf"^{_TYPE}$", views.OfType.as_view(), name="type"),
    path("", views.Root.as_view(), name="root"),
    path("$export", views.Export.as_view(), name="export"),
    path("metadata", views.Metadata.as_view(), name="metadata"),
    path("openapi.json", views.OpenApi.as_view(), name="openapi"),
    re_path(rf"^{_TYPE}/_search$", views.SearchByPost.as_view(), name="search"),
    re_path(rf"^{_TYPE}/_history$", views.History.as_view(), name="type_history"),
    re_path(rf"^{_TYPE}/{_ID}/_history$", views.History.as_view(), name="history"),
    re_path(rf"^{_TYPE}/{_ID}/_history/(?P<number>[A-Za-z0-9\-.]{{1,64}})$", views.Version.as_view(), name="version"),
    re_path(rf"^Patient/{_ID}/\$everything$", views.Everything.as_view(), name="everything"),
    re_path(r"^.*$", views.Nowhere.as_view(), name="nowhere"),
]
