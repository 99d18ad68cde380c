"""The page as HTML: a history, the recommendations of one or two runs, and why."""

from collections.abc import Sequence
from importlib.resources import files
from xml.etree.ElementTree import Element

from prism_rec.explain.explanation import Explanation
from prism_rec.explore.look import Look, Recommended, Shown
from prism_rec.explore.question import Question
from prism_rec.explore.tiles import Tiles
from prism_rec.markup import Content, element

MEANINGS = {
    "id": "learned from who chose it",
    "redundancy": "what its pictures and texts say alike",
    "synergy": "what only pictures and texts together say",
}
"""What the parts of a score mean, in a few words."""
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
                "li", *tiles.draw(item), _action("add", question.with_item(item.item_id), f"add {item.title}")
            )
            for item in found
        ]
        results = [
            element("ul", *rows, class_="items") if rows else element("p", "No other item has that title.")
        ]
    forms = [element("h2", "History"), whose] if len(look.users) else [element("h2", "History")]
    return [*forms, search, *results]


def _history(look: Look, question: Question, tiles: Tiles) -> list[Content]:
    rows = []
    for item in reversed(question.items):
        if item not in look.place:
            rows.append(element("li", element("span", f"{item} is unknown to {look.name}", class_="soft")))
            continue
        seen, out = look.item(item), item in question.out
        toggle = _action(
            "put back" if out else "leave out",
            question.toggled("out", item),
            f"{'put back' if out else 'leave out'} {seen.title}",
        )
        remove = _action("remove", question.without_item(item), f"remove {seen.title}")
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
        said += f"; of the {whole} of user {question.user}" if whole != len(question.items) else ""
    shown: list[Content] = [element("p", said, class_="soft"), element("ol", *rows[:FOLDED], class_="items")]
    if rows[FOLDED:]:
        summary = element("summary", f"{len(rows) - FOLDED} older items")
        folded = element("details", summary, element("ol", *rows[FOLDED:], class_="items"))
        folded.attrib |= {"open": "open"} if set(question.out) & set(question.items[:-FOLDED]) else {}
        shown.append(folded)
    return shown


def _list(look: Look, question: Question, shown: Shown, tiles: Tiles, both: set[str], place: str) -> Element:
    switches = [
        _action(
            f"{name}: {'off' if name in question.off else 'on'}",
            question.toggled("off", name),
            f"switch {name} {'on' if name in question.off else 'off'} in all items",
            "switch off" if name in question.off else "switch",
        )
        for name in look.modalities
    ]
    rows = [_recommended(row, look, question, tiles, both, place) for row in shown.items]
    content: list[Content] = [element("h2", f"Recommended by {look.name}")]
    if switches:
        content.append(element("p", *switches, class_="switches"))
    if question.is_changed:
        content.append(_changes(question, shown))
    if shown.items and shown.items[0].score is None:
        content.append(element("p", "Popular items, because there is no history.", class_="soft"))
    else:
        content.append(_legend(look))
    if shown.why is not None:
        content.append(_why(shown.why, question, f"why-{place}"))
    return element("section", *content, element("ol", *rows, class_="cards"), id=place)


def _changes(question: Question, shown: Shown) -> Element:
    new = sum(row.before is None for row in shown.items)
    moved = sum(row.before not in (None, row.rank) for row in shown.items)
    gone = f": {', '.join(item.title for item in shown.gone)}" if shown.gone else ""
    text = f"Against the whole history with everything on: {new} new, {moved} moved, {len(shown.gone)} gone{gone}. "
    undo = Question(items=question.items, search=question.search, user=question.user)
    return element("p", text, _action("undo", undo, "undo all changes"), class_="changes")


def _recommended(
    row: Recommended, look: Look, question: Question, tiles: Tiles, both: set[str], place: str
) -> Element:
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
        add = _action(
            "add to history", question.with_item(row.item.item_id), f"add {row.item.title} to the history"
        )
        score = element(
            "span", bar(row.parts), element("span", f"{row.score:.2f}", class_="soft"), class_="score"
        )
        content += [score, element("span", why, add, class_="actions")]
    return element("li", *content)


def bar(parts: dict[str, float]) -> Element:
    """Return the shares of a score as a bar; parts that lower the score are striped."""
    whole = sum(map(abs, parts.values())) or 1.0
    pieces = []
    for place, value in enumerate(parts.values()):
        style = f"width:{100 * abs(value) / whole:.1f}%"
        pieces.append(element("span", class_=f"part-{place % 8}{' less' if value < 0 else ''}", style=style))
    label = ", ".join(f"{name} {value:+.2f}" for name, value in parts.items())
    return element("span", *pieces, class_="bar", role="img", aria_label=label, title=label)


def _legend(look: Look) -> Element:
    entries = []
    for place, name in enumerate(look.recommender.component_names):
        kind, _, modality = name.partition(":")
        meaning = f"what only its {modality} says" if kind == "unique" else MEANINGS.get(name, "")
        text = f"{name}: {meaning}" if meaning else name
        entries.append(element("li", element("span", class_=f"key part-{place % 8}"), text))
    entries.append(element("li", element("span", class_="key less"), "lowers the score"))
    return element(
        "details",
        element("summary", "What the colours of the bars mean"),
        element("ul", *entries, class_="legend"),
    )


def _why(why: Explanation, question: Question, place: str) -> Element:
    whole = sum(map(abs, why.contributions.values())) or 1.0
    parts = [
        element(
            "tr",
            element("th", name),
            element("td", f"{value:+.2f}", class_="number"),
            element("td", f"{100 * value / whole:+.0f} %", class_="number"),
            element("td", *(f"{why.weights[name]:.2f}",) if name in why.weights else (), class_="number"),
            element(
                "td", *(f"{why.average_weights[name]:.2f}",) if name in why.weights else (), class_="number"
            ),
        )
        for name, value in why.contributions.items()
    ]
    head = element(
        "tr", *(element("th", name) for name in ("part", "adds", "share", "weight", "everybody's"))
    )
    ranked = sorted(
        (past for past in why.history if past.effect is not None), key=lambda past: -(past.effect or 0)
    )
    effects = [(past.title or past.item_id, past.effect or 0.0) for past in ranked[:5]]
    effects += [
        (f"any {name}", effect) for name, effect in why.modalities.items() if name not in question.off
    ]
    most = max((abs(effect) for _, effect in effects), default=1.0) or 1.0
    rows = []
    for name, effect in effects:
        lower = f"{abs(effect):.2f} {'lower' if effect >= 0 else 'higher'}"
        style = f"width:{100 * abs(effect) / most:.1f}%"
        piece = element(
            "span",
            element("span", class_=f"part-0{' less' if effect < 0 else ''}", style=style),
            class_="bar",
        )
        rows.append(
            element(
                "tr",
                element("th", name),
                element("td", lower, class_="number"),
                element("td", piece, class_="wide"),
            )
        )
    close = Question(question.items, question.out, question.off, question.search, "", question.user)
    return element(
        "div",
        element("h3", f"Why {why.title or why.item_id}?"),
        element("p", why.sentence),
        element("table", head, *parts),
        element("h3", "Without these, its score would be"),
        element("table", *rows),
        _action("close", close, "close the explanation"),
        class_="why",
        id=place,
    )


def _action(text: str, question: Question, label: str, kind: str = "action") -> Element:
    link = element("a", text, href=question.address(), class_=kind)
    link.set("aria-label", label)
    return link
