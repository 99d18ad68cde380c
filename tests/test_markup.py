from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.markup import element, render

# What a title or an id may hold; HTML has no way to write most control characters.
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.titles: list[str | None] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.titles += [value for key, value in attributes if key == "title"]

    def handle_data(self, data: str) -> None:
        self.text += data


@settings(max_examples=200)
@given(text=TEXTS, title=TEXTS)
def test_no_text_can_become_markup(text: str, title: str) -> None:
    reader = Reader()
    reader.feed(render(element("p", text, element("b", text), text, title=title)))
    reader.close()
    assert reader.tags == ["p", "b"]
    assert reader.text.strip() == (text * 3).strip()
    assert reader.titles == [title]


def test_names_of_attributes_and_floats() -> None:
    made = element("line", class_="grid", stroke_width=1 / 3, x=2, viewBox="0 0 1 1")
    assert made.attrib == {"class": "grid", "stroke-width": "0.33", "x": "2", "viewBox": "0 0 1 1"}
