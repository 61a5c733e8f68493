"""Words for a browser, good enough for somebody to recognise their own sessions. Pure."""

# Order matters: Edge and Opera also say Chrome, Chrome also says Safari.
_BROWSERS = [("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari")]
_SYSTEMS = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
]


def describe(user_agent: str) -> str:
    """Return "Firefox sur Windows", "Navigateur sur Android", or "" when nothing is recognised."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if system:
        return f"{browser or 'Navigateur'} sur {system}"
    return browser
