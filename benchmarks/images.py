"""Pictures a second: fetch, check, resize and store JPEGs of about 20 KB from a server process on loopback.

python benchmarks/images.py [--pictures 2000] [--json]

Leave minutes between two runs: where many files were deleted, ext4 is slow to make new ones for a while.
"""

import argparse
import asyncio
import io
import json
import multiprocessing
import os
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from prism_rec.stages.images import Images, images

DISTINCT = 100  # pictures that are drawn; the server tells the rest apart by a comment after their end


def draw_picture(seed: int, side: int = 300) -> bytes:
    """Return a JPEG of about 20 KB: soft shapes and some grain, as a product photo has."""
    random = np.random.default_rng(seed)
    shapes = Image.fromarray(random.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8))
    soft = np.asarray(shapes.resize((side, side), Image.Resampling.BICUBIC), dtype=np.int16)
    grain = random.integers(-6, 7, soft.shape)
    file = io.BytesIO()
    Image.fromarray(np.clip(soft + grain, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=80)
    return file.getvalue()


class PictureServer(asyncio.Protocol):
    """As little HTTP as will do, to leave the processors to what is measured."""

    pictures: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.waiting = b""

    def data_received(self, data: bytes) -> None:
        *requests, self.waiting = (self.waiting + data).split(b"\r\n\r\n")
        for request in requests:
            number = int(request.split(b" ", 2)[1].rsplit(b"/", 1)[1])
            body = self.pictures[number % DISTINCT] + b"%d" % number
            head = b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\nETag: "%d"\r\n\r\n' % (len(body), number)
            self.transport.write(head + body)


def serve(pictures: list[bytes], port: Connection) -> None:
    """Serve for ever; tell the port through the pipe."""
    PictureServer.pictures = pictures

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(PictureServer, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def measure(number: int) -> dict[str, float]:
    """Gather so many pictures into a temporary folder."""
    load = os.getloadavg()[0]
    pictures = [draw_picture(seed) for seed in range(DISTINCT)]
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    server = context.Process(target=serve, args=(pictures, sender), daemon=True)
    server.start()
    try:
        base = f"http://127.0.0.1:{receiver.recv()}"
        table = pl.DataFrame({"item_id": range(number)}).with_columns(
            images=pl.format(f"{base}/{{}}", "item_id")
        )
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            images(Images(allow_private=True), Path(folder) / "images", sources=table)
            first = time.perf_counter() - begin
            images(Images(allow_private=True), Path(folder) / "images", sources=table)
            again = time.perf_counter() - begin - first
            gathered = pl.read_parquet(Path(folder) / "images" / "pictures.parquet")
    finally:
        server.terminate()
        server.join()
    assert (gathered["status"] == "ok").all()
    assert gathered["file"].n_unique() == number
    return {
        "pictures": number,
        "mean_kilobytes": round(sum(map(len, pictures)) / DISTINCT / 1000, 1),
        "seconds": round(first, 2),
        "pictures_per_second": round(number / first, 1),
        "rerun_seconds": round(again, 3),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(load, 1),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    figures = measure(arguments.pictures)
    if arguments.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name.replace('_', ' '):20} {value}")
