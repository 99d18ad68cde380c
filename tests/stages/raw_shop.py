"""A small shop: raw dumps in the published formats, its pictures on a web server, and a recipe for them."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from raw_dumps import in_days, review_2014, review_2018, review_2023, review_yelp, write_lines

ITEMS = [f"B{number:03}" for number in range(10)]
NO_PICTURE, NO_TEXT = ITEMS[3], ITEMS[4]


def histories() -> dict[str, list[str]]:
    random = np.random.default_rng(0)
    return {f"A{user}": random.permutation(ITEMS)[:7].tolist() for user in range(20)}


def draw(item: str) -> bytes:
    colours = np.random.default_rng(ITEMS.index(item)).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(colours).resize((64, 48)).save(file, "PNG")
    return file.getvalue()


class Pictures(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:  # noqa: N802 - the name http.server looks for
        item = self.path.strip("/").removesuffix(".png")
        self.asked.append(item)
        body = b"" if item == NO_PICTURE else draw(item)
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Pictures, "asked", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pictures)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def describe_2014(item: str, picture: str) -> str:
    return repr(
        {"asin": item, "title": f"thing {item}", "categories": [["Home", "Lamps"]], "imUrl": picture}
        if item != NO_TEXT
        else {"asin": item, "price": 9.99, "imUrl": picture}
    )


def describe_2018(item: str, picture: str) -> dict[str, Any]:
    texts = {"title": f"thing {item}", "description": ["Nice"]} if item != NO_TEXT else {"title": ""}
    return {"asin": item, "imageURLHighRes": [picture], "imageURL": [], **texts}


def describe_2023(item: str, picture: str) -> dict[str, Any]:
    texts = {"title": f"thing {item}", "categories": ["Home"]} if item != NO_TEXT else {"title": None}
    return {"parent_asin": item, "images": [{"variant": "MAIN", "large": picture}], **texts}


AMAZON = {
    "amazon-2014": (review_2014, describe_2014),
    "amazon-2018": (review_2018, describe_2018),
    "amazon-2023": (review_2023, describe_2023),
}


def write_recipe(folder: Path, source: str, address: str) -> Path:
    """Write a dump and the recipe for it."""
    prepare: dict[str, Any] = {"cleaning": {"core": 2}}
    images: dict[str, Any] = {"size": 32, "allow_private": True}
    raw = folder / "raw"
    if source == "yelp":
        reviews = map(review_yelp, in_days(histories()))
        write_lines(raw / "yelp_academic_dataset_review.json", reviews)
        businesses = [{"business_id": item, "name": None if item == NO_TEXT else item} for item in ITEMS]
        write_lines(raw / "yelp_academic_dataset_business.json", businesses)
        photos = [{"photo_id": f"p{item}", "business_id": item, "label": "food"} for item in ITEMS]
        write_lines(raw / "photos.json", photos)
        (raw / "photos").mkdir()
        for item in set(ITEMS) - {NO_PICTURE}:
            (raw / "photos" / f"p{item}.jpg").write_bytes(draw(item))
        prepare |= {"source": {"kind": source, "folder": str(raw)}}
        images |= {"local": str(raw / "photos")}
    else:
        review, describe = AMAZON[source]
        reviews, meta = raw / "reviews.json.gz", raw / "meta.json.gz"
        write_lines(reviews, map(review, in_days(histories())))
        write_lines(meta, [describe(item, f"{address}/{item}.png") for item in ITEMS])
        prepare |= {"source": {"kind": source, "reviews": str(reviews), "metadata": str(meta)}}
    embed = {
        "text": {"encoder": "hashed-text", "fields": ["title", "categories"]},
        "image": {"encoder": "picture-descriptors", "engine": {"kind": "local", "workers": 0}},
    }
    recipe = {"prepare": prepare, "images": images, "embed": embed}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    return folder / "recipe.yaml"
