"""Items as small pictures: their own, or tiles drawn from title and category."""

from pathlib import Path
from urllib.parse import urlencode
from zlib import crc32

from prism_rec.explore.look import Item
from prism_rec.markup import Content, element


class Tiles:
    """Draws items.

    Args:
        pictures: files by item id.
    """

    def __init__(self, pictures: dict[str, Path]) -> None:
        self.pictures = pictures

    def draw(self, item: Item) -> list[Content]:
        """Return the picture and the title of an item."""
        if item.item_id in self.pictures:
            source = f"/picture?{urlencode({'item': item.item_id})}"
            tile = element("img", src=source, alt="", loading="lazy", class_="tile")
        else:
            hue = crc32((item.category or item.title).encode()) % 360
            letters = "".join(word[0] for word in item.title.split() if word[0].isalnum())[:3] or "?"
            tile = element("span", letters, class_="tile drawn", style=f"--hue:{hue}", aria_hidden="true")
        lines = [element("span", item.title, class_="title")]
        if item.category:
            lines.append(element("span", item.category, class_="soft"))
        return [tile, element("span", *lines, class_="named")]
