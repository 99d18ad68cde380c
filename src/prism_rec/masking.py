"""Passwords and tokens in addresses never reach a message, a log or a record."""

import re

MASK = "***"
_LOGIN = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+:/{1,2})[^\s/?#@]+@")
_SECRET = re.compile(
    r"([?&;](?:[\w.%-]*(?:token|secret|signature|passw|credential|api[_-]?key|access[_-]?key|authorization)[\w.%-]*"
    r"|key|sig|auth|pwd|pass|jwt|hmac|code|policy|session(?:id)?)=)[^&;#\s'\"<>]*[^&;#\s'\"<>:,.)]",
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """Return a text with `***` in place of the logins and the secret values of all addresses in it.

    A login is what comes before the host, as in `https://user:password@host`. A value is secret if its name says so, as
    in `?token=...`, `?X-Amz-Signature=...` or `?api_key=...`. A text that is masked already does not change.
    """
    if "@" in text:
        text = _LOGIN.sub(rf"\1{MASK}@", text)
    return _SECRET.sub(rf"\1{MASK}", text) if "=" in text else text
