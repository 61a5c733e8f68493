"""The product for a browser of this machine that speaks without TLS, for tests/bench/acts.py alone.

A form says from where it is sent, and a browser writes there the scheme it uses: what a proxy that ends TLS would have
passed on is written instead. Nothing else differs from production.
"""

from coordination.wsgi import application as _product


def application(environ, start_response):
    """Answer as the product does, to a form sent « from https »."""
    scheme, found, place = environ.get("HTTP_ORIGIN", "").partition("://")
    if found and scheme == "http":
        environ["HTTP_ORIGIN"] = f"https://{place}"
    return _product(environ, start_response)
