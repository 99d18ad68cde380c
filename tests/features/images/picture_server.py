"""A real HTTP server on loopback with every kind of answer that the world gives."""

import functools
import io
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image


def draw(seed: int, size: tuple[int, int] = (48, 40), kind: str = "JPEG") -> bytes:
    """Return a picture file that differs from seed to seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


@functools.cache
def draw_bomb() -> bytes:
    """Return a small file of 144 million pixels."""
    side = 12_000
    rows = zlib.compress(bytes((1 + side // 8) * side), 1)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


class PictureServer(ThreadingHTTPServer):
    """Answers `/NAME/...` with the method `answer_NAME`, and keeps a log of requests."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.log: list[tuple[str, dict[str, str]]] = []
        self.times: list[float] = []
        self.busy = 0
        self.most_busy = 0
        self.lock = threading.Lock()
        self.delay = 0.0
        self.works_again = False
        self.base = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def requests(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(path for path, _ in self.log)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away are part of the tests."""


@pytest.fixture
def server() -> Iterator[PictureServer]:
    server = PictureServer()
    yield server
    server.shutdown()
    server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: PictureServer

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:  # noqa: N802 - the name http.server looks for
        with self.server.lock:
            self.server.log.append((self.path, dict(self.headers)))
            self.server.times.append(time.monotonic())
            self.server.busy += 1
            self.server.most_busy = max(self.server.most_busy, self.server.busy)
        try:
            time.sleep(self.server.delay)
            getattr(self, "answer_" + self.path.split("/")[1].split(".")[0].replace("-", "_"))()
        finally:
            with self.server.lock:
                self.server.busy -= 1

    def give(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def give_after(self, status: int, **headers: str) -> None:
        """Fail until the server works again."""
        if self.server.works_again:
            self.answer_ok()
        else:
            self.give(status, **headers)

    def tries(self) -> int:
        return self.server.requests[self.path]

    # What a picture should be.

    def answer_ok(self) -> None:
        number = sum(self.path.encode())
        etag = f'"version-{number}"'
        if self.headers.get("If-None-Match") == etag:
            self.give(304)
        else:
            self.give(200, draw(number), ETag=etag)

    def answer_misnamed(self) -> None:
        self.give(200, draw(1, kind="PNG"), Content_Type="text/html")

    def answer_unframed(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(draw(2))

    # What passes.

    def answer_slow(self) -> None:
        time.sleep(0 if self.server.works_again else 1.2)
        self.answer_ok()

    def answer_drip(self) -> None:
        if self.server.works_again:
            return self.answer_ok()
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(60):
            self.wfile.write(b"x")
            time.sleep(0.03)
        return None

    def answer_busy_once(self) -> None:
        self.give(429, Retry_After="1") if self.tries() == 1 else self.answer_ok()

    def answer_busy_long(self) -> None:
        self.give_after(429, Retry_After="3600")

    def answer_error_once(self) -> None:
        self.give(503) if self.tries() == 1 else self.answer_ok()

    def answer_error_later(self) -> None:
        if self.headers.get("If-None-Match"):
            self.give(500)
        else:
            self.answer_ok()

    def answer_changing(self) -> None:
        version = 2 if self.headers.get("If-None-Match") else 1
        self.give(200, draw(version), ETag=f'"{version}"')

    def answer_error(self) -> None:
        self.give_after(500)

    def answer_truncated(self) -> None:
        if self.server.works_again:
            return self.answer_ok()
        picture = draw(3)
        self.give(200, picture[:-200], Content_Length=str(len(picture)))
        self.close_connection = True
        return None

    def answer_truncated_chunks(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"40\r\n" + draw(3)[:64] + b"\r\n")
        self.close_connection = True

    def answer_truncated_unframed(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(draw(3)[:-200])
        self.close_connection = True

    def answer_hang_up(self) -> None:
        self.close_connection = True

    def answer_garbage(self) -> None:
        self.wfile.write(b"\x00\xff" * 500 + b"\r\n\r\n")
        self.close_connection = True

    # What does not pass.

    def answer_missing(self) -> None:
        self.give(404, b"no such picture")

    def answer_gone(self) -> None:
        self.give(410)

    def answer_no_content(self) -> None:
        self.send_response(204)
        self.end_headers()

    def answer_empty(self) -> None:
        self.give(200)

    def answer_not_modified(self) -> None:
        self.give(304)

    def answer_page(self) -> None:
        self.give(200, b"<!doctype html><title>Sign in</title>", Content_Type="image/jpeg")

    def answer_damaged(self) -> None:
        self.give(200, draw(4)[:-300])

    def answer_bomb(self) -> None:
        self.give(200, draw_bomb())

    def answer_told_large(self) -> None:
        self.give(200, b"x" * 300_000)

    def answer_untold_large(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(10_000):
            self.wfile.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    def answer_gzip(self) -> None:
        self.give(200, draw(5), Content_Encoding="gzip")

    # Where else to go.

    def redirect(self, location: str) -> None:
        self.give(302, Location=location)

    def answer_moved(self) -> None:
        self.redirect("../ok/moved.jpg")

    def answer_loop(self) -> None:
        self.redirect(self.path)

    def answer_to_neighbour(self) -> None:
        self.redirect(f"http://127.0.0.2:{self.server.server_port}/ok/neighbour.jpg")

    def answer_to_metadata(self) -> None:
        self.redirect("http://169.254.169.254/latest/meta-data/")

    def answer_to_another_service(self) -> None:
        self.redirect("http://127.0.0.1:22/")

    def answer_to_file(self) -> None:
        self.redirect("file:///etc/passwd")

    def answer_to_nonsense(self) -> None:
        self.redirect("http://[::1/")

    def answer_to_nowhere(self) -> None:
        self.give(301)
