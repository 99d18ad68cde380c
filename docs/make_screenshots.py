"""Write the pictures of the documentation from the demo: the page of `prism-rec explore`, and the report.

    make demo && python docs/make_screenshots.py runs/demo/comparison

Chromium is needed (`make browser`). Items are tiles in place of pictures, because posters are not free.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent
COLOURS = 64
SHOTS = {"explore.png": (1280, 1000), "explore-phone.png": (390, 844)}
REPORT = (1045, 1300)
RUN = "cells/movielens-small/prism/seed-0"


@contextmanager
def explored(run: Path) -> Iterator[str]:
    """Serve the page of a run; yield its address."""
    command = [
        sys.executable,
        "-c",
        "from prism_rec.cli import main; main()",
        "explore",
        str(run),
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        address = next(word for line in server.stderr for word in line.split() if word.startswith("http"))
        yield address.rstrip(",")
        server.terminate()


def write(page: Page, name: str) -> None:
    """Write what is seen of a page, in few colours."""
    shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / name, optimize=True)


def main(comparison: Path, user: str = "15") -> None:
    """Take pictures of one user's page without texts, wide and on a phone, and of the report."""
    with explored(comparison / RUN) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (width, height) in SHOTS.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(f"{address}/?user={user}")
            page.get_by_label("switch text off").click()
            page.get_by_text("why?").first.click()
            page.get_by_text("Without these").wait_for()
            first = page.get_by_role("heading", name="Recommended by" if width < 500 else "Explore")
            first.evaluate("heading => heading.scrollIntoView()")
            write(page, name)
        page = browser.new_page(viewport=dict(zip(("width", "height"), REPORT, strict=True)))
        page.goto((comparison / "report.html").resolve().as_uri())
        write(page, "report.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
