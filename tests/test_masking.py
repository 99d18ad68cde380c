import io

import pytest

from prism_rec.errors import DataError, SettingsError
from prism_rec.events import JsonLines
from prism_rec.masking import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://user:pass@host/a.jpg", "https://***@host/a.jpg"),
        ("https://token@host:8080/a", "https://***@host:8080/a"),
        ("s3:/user:pass@bucket/a: no such file", "s3:/***@bucket/a: no such file"),
        ("https://h/a?token=abc&size=5", "https://h/a?token=***&size=5"),
        (
            "https://h/a?w=1&X-Amz-Signature=0f&X-Amz-Date=3",
            "https://h/a?w=1&X-Amz-Signature=***&X-Amz-Date=3",
        ),
        ("https://h/a?API_KEY=x;AWSAccessKeyId=y", "https://h/a?API_KEY=***;AWSAccessKeyId=***"),
        ("'https://h/a?sig=x' and 'https://u:p@h'", "'https://h/a?sig=***' and 'https://***@h'"),
        ("https://h/@user/a.jpg?page=2#part", "https://h/@user/a.jpg?page=2#part"),
        ("a@b.c wrote key=1", "a@b.c wrote key=1"),
    ],
    ids=["login", "token", "path", "query", "amazon", "keys", "several", "none", "plain"],
)
def test_logins_and_secret_values_of_addresses_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked
    assert mask(masked) == masked


def test_messages_and_events_have_no_credentials() -> None:
    assert str(DataError("https://u:p@h/x: no such file")) == "https://***@h/x: no such file"
    assert str(SettingsError("wrong", "https://h?token=x")) == "https://h?token=***: wrong"
    stream = io.StringIO()
    JsonLines(stream).note("reading https://u:p@h/x")
    assert "u:p" not in stream.getvalue()
