import pytest

from features.images.gathering import images
from features.images.picture_server import server
from prism_rec.features.images import addresses

__all__ = ["images", "server"]


@pytest.fixture
def loopback_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 127.0.0.1 alone count as public, so that the rule itself stays in force."""
    is_public = addresses.is_public
    monkeypatch.setattr(
        addresses, "is_public", lambda address: str(address) == "127.0.0.1" or is_public(address)
    )
