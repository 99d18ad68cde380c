"""Write docs/explore.png and docs/explore-phone.png: the page of `prism-rec explore`, with tiles in place of pictures.

    python docs/make_screenshots.py runs/demo/comparison/cells/movielens-small/prism/seed-0

Chromium is needed (`make browser`). Nothing of posters is shown, because they are not free.
"""

import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parent
COLOURS = 64
SHOTS = {"explore.png": (1280, 760), "explore-phone.png": (390, 844)}


def main(run: Path, user: str = "15") -> None:
    """Serve the run, and take both pictures of one user's page without texts."""
    words = [
        sys.executable,
        "-c",
        "from prism_rec.cli import main; main()",
        "explore",
        str(run),
        "--port",
        "0",
    ]
    with (
        subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as server,
        sync_playwright() as playwright,
    ):
        assert server.stderr is not None
        address = next(word for line in server.stderr for word in line.split() if word.startswith("http"))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (width, height) in SHOTS.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(f"{address.rstrip(',')}/?user={user}")
            page.get_by_label("switch text off").click()
            page.get_by_text("why?").first.click()
            page.get_by_text("Without these").wait_for()
            if width < 500:
                page.get_by_role("heading", name="Recommended by").scroll_into_view_if_needed()
            shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
            shot.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / name, optimize=True)
        browser.close()
        server.terminate()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
