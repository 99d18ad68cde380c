"""The page as HTML: a history, the recommendations of one or two runs, and why."""

from collections.abc import Sequence
from importlib.resources import files
from xml.etree.ElementTree import Element

from prism_rec.explore.links import action
from prism_rec.explore.look import FOUND, Look, Recommended, Shown
from prism_rec.explore.question import Question
from prism_rec.explore.reasons import bar, legend, why_box
from prism_rec.explore.tiles import Tiles
from prism_rec.markup import Content, element

LISTED_USERS = 500
FOLDED = 6
"""Older items of a history are folded."""


def document(title: str, question: Question, *content: Content) -> Element:
    """Return a whole page."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", files("prism_rec.explore").joinpath("style.css").read_text(encoding="utf-8")),
    )
    pages = (("/", "Recommendations"), ("/weights", "Everybody's weights"))
    nav = element("nav", *(element("a", name, href=question.address(path)) for path, name in pages))
    skip = element("a", "Skip to the recommendations", href="#list-1", class_="skip")
    body = element("body", skip, element("header", element("h1", title), nav), element("main", *content))
    return element("html", head, body, lang="en")


def main_page(looks: Sequence[Look], question: Question, shown: Sequence[Shown], tiles: Tiles) -> Element:
    """Return the page of a question.

    Args:
        looks: one or two runs.
        question: what is shown.
        shown: the list of each run.
        tiles: draws items.
    """
    first = looks[0]
    history = element(
        "section",
        *_choose(first, question, tiles),
        *_unknown_user(first, question.user),
        *_history(first, question, tiles),
        id="history",
    )
    others = [{row.item.item_id for row in one.items} for one in shown]
    lists = []
    for place, (look, one) in enumerate(zip(looks, shown, strict=True)):
        both = others[1 - place] if len(looks) == 2 else set()
        lists.append(_list(look, question, one, tiles, both, f"list-{place + 1}"))
    columns = element("div", history, *lists, class_=f"columns of-{1 + len(looks)}")
    title = " and ".join(look.name for look in looks)
    return document(f"Explore {title}", question, columns)


def _unknown_user(look: Look, user: str) -> list[Content]:
    if not user or user in look.users:
        return []
    why = look.recommender.dataset.why_absent("user", user) or "is unknown to this run"
    return [element("p", f"User {user} {why}: choose another, or items.", role="status")]


def _choose(look: Look, question: Question, tiles: Tiles) -> list[Content]:
    users = element(
        "datalist", *(element("option", value=user) for user in look.users.head(LISTED_USERS)), id="users"
    )
    whose = element(
        "form",
        element(
            "label",
            "User ",
            element("input", name="user", list="users", value=question.user, autocomplete="off"),
        ),
        element("button", "Show"),
        element("a", "any user", href="/?user=*", class_="action"),
        element("a", "start empty", href="/", class_="action"),
        users,
        action="/",
    )
    hidden = [
        element("input", type="hidden", name=name, value=value)
        for name, value in question.pairs()
        if name not in ("q", "why")
    ]
    search = element(
        "form",
        *hidden,
        element("label", "Title ", element("input", name="q", type="search", value=question.search)),
        element("button", "Search"),
        action="/",
    )
    found = [item for item in look.search(question.search) if item.item_id not in question.items]
    results: list[Content] = []
    if question.search:
        rows = [
            element(
                "li", *tiles.draw(item), action("add", question.with_item(item.item_id), f"add {item.title}")
            )
            for item in found
        ]
        most = f"; the {FOUND} shortest titles" if len(rows) == FOUND else ""
        said = f"Titles with “{question.search}”{most}" if rows else "No other item has that title."
        results = [element("h3", said) if rows else element("p", said), element("ul", *rows, class_="items")]
    forms = [element("h2", "History"), whose] if len(look.users) else [element("h2", "History")]
    return [*forms, search, *results]


def _history(look: Look, question: Question, tiles: Tiles) -> list[Content]:
    rows = []
    for item in reversed(question.items):
        if item not in look.place:
            rows.append(element("li", element("span", f"{item} is unknown to {look.name}", class_="soft")))
            continue
        seen, out = look.item(item), item in question.out
        toggle = action(
            "put back" if out else "leave out",
            question.toggled("out", item),
            f"{'put back' if out else 'leave out'} {seen.title}",
        )
        remove = action("remove", question.without_item(item), f"remove {seen.title}")
        actions = element("span", toggle, remove, class_="actions")
        rows.append(element("li", *tiles.draw(seen), actions, class_="out" if out else "in"))
    if not rows:
        return [
            element(
                "p",
                "Choose a user, or search for titles and add them. Without a history, popular items are shown.",
            )
        ]
    said = f"{len(question.items)} items, the latest first"
    if question.user in look.users:
        whole = len(look.recommender.history_of(question.user))
        said += f"; user {question.user} has {whole}" if whole != len(question.items) else ""
    said += ". Leave an item out to see the list without it; remove it to change the history."
    shown: list[Content] = [
        *([element("h3", "The history")] if question.search else []),
        element("p", said, class_="soft"),
        element("ol", *rows[:FOLDED], class_="items"),
    ]
    if rows[FOLDED:]:
        older = len(rows) - FOLDED
        summary = element("summary", f"{older} older item{'s' if older > 1 else ''}")
        folded = element("details", summary, element("ol", *rows[FOLDED:], class_="items"))
        folded.attrib |= {"open": "open"} if set(question.out) & set(question.items[:-FOLDED]) else {}
        shown.append(folded)
    return shown


def _list(look: Look, question: Question, shown: Shown, tiles: Tiles, both: set[str], place: str) -> Element:
    switches = [
        action(
            f"{name}: {'off' if name in question.off else 'on'}",
            question.toggled("off", name),
            f"switch {name} {'on' if name in question.off else 'off'} in all items",
            "switch off" if name in question.off else "switch",
        )
        for name in look.modalities
    ]
    rows = [_recommended(row, question, tiles, both, place) for row in shown.items]
    content: list[Content] = [element("h2", f"Recommended by {look.name}")]
    is_popular = bool(shown.items) and shown.items[0].score is None
    if switches and not is_popular:
        content.append(element("p", element("span", "What is read of items: "), *switches))
    if question.is_changed:
        content.append(_changes(question, shown))
    if is_popular:
        content.append(element("p", "Popular items, because there is no history.", class_="soft"))
    else:
        content.append(legend(look))
    if shown.why is not None:
        content.append(why_box(shown.why, question, f"why-{place}"))
    return element("section", *content, element("ol", *rows, class_="cards"), id=place)


def _changes(question: Question, shown: Shown) -> Element:
    new = sum(row.before is None for row in shown.items)
    moved = sum(row.before not in (None, row.rank) for row in shown.items)
    gone = f": {', '.join(item.title for item in shown.gone)}" if shown.gone else ""
    text = f"Against the whole history with everything on: {new} new, {moved} moved, {len(shown.gone)} gone{gone}. "
    undo = Question(items=question.items, search=question.search, user=question.user)
    return element("p", text, action("undo", undo, "undo all changes"), class_="changes")


def _recommended(row: Recommended, question: Question, tiles: Tiles, both: set[str], place: str) -> Element:
    marks = []
    if question.is_changed and row.before != row.rank:
        marks.append(element("span", "new" if row.before is None else f"was {row.before}", class_="mark"))
    if row.item.item_id in both:
        marks.append(element("span", "in both", class_="mark"))
    asked = Question(
        question.items, question.out, question.off, question.search, row.item.item_id, question.user
    )
    content: list[Content] = [*tiles.draw(row.item), *marks]
    if row.score is not None:
        why = element("a", "why?", href=asked.address(place=f"why-{place}"), class_="action")
        why.set("aria-label", f"why {row.item.title}?")
        add = action(
            "add to history", question.with_item(row.item.item_id), f"add {row.item.title} to the history"
        )
        score = element(
            "span", bar(row.parts), element("span", f"{row.score:.2f}", class_="soft"), class_="score"
        )
        content += [score, element("span", why, add, class_="actions")]
    return element("li", *content)
