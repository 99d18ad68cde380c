"""The outcome of visiting one source: a picture, or a failure that says whether it is temporary."""

from dataclasses import dataclass
from typing import Literal


class Failure(Exception):  # noqa: N818 - an outcome to record as much as an error
    """A source gave no picture.

    Args:
        reason: one hyphenated word for the table, such as `http-404`; never text from the server.
        may_pass: whether a later attempt may succeed.
        retry_after: seconds that the server asks us to wait; None if it does not ask.
    """

    def __init__(self, reason: str, *, may_pass: bool = False, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_pass = may_pass
        self.retry_after = retry_after
        self.attempts = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was completely decoded and stored.

    `sha256`, `bytes`, `width` and `height` are those of the source; `stored` and `stored_sha256` are length and hash of
    the file in the folder.
    """

    file: str
    sha256: str
    bytes: int
    width: int
    height: int
    stored: int
    stored_sha256: str


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """The latest outcome of a source: `ok` with its picture, else `retry` or `failed` with the reason."""

    source: str
    status: Literal["ok", "retry", "failed"]
    attempts: int
    picture: Picture | None = None
    etag: str | None = None
    reason: str | None = None

    @classmethod
    def of_failure(cls, source: str, failure: Failure, attempts: int = 0) -> "SourceOutcome":
        """Record a failure; `attempts` were made before."""
        status: Literal["retry", "failed"] = "retry" if failure.may_pass else "failed"
        return cls(source, status, attempts + failure.attempts, reason=failure.reason)
