"""Why an item is recommended, as HTML: bars of shares, their colours, and the explanation of one item."""

from xml.etree.ElementTree import Element

from prism_rec.explain.explanation import Explanation
from prism_rec.explore.links import action
from prism_rec.explore.look import Look
from prism_rec.explore.question import Question
from prism_rec.markup import element

MEANINGS = {
    "id": "learned from who chose it",
    "redundancy": "what its pictures and texts say alike",
    "synergy": "what only pictures and texts together say",
    "similar": "how much it resembles the latest items",
    "rules": "how often others took it after the latest items",
}
"""What the parts of a score mean, in a few words."""


def bar(parts: dict[str, float]) -> Element:
    """Return the shares of a score as a bar; parts that lower the score are striped."""
    whole = sum(map(abs, parts.values())) or 1.0
    pieces = []
    for place, value in enumerate(parts.values()):
        style = f"width:{100 * abs(value) / whole:.1f}%"
        pieces.append(element("span", class_=f"part-{place % 8}{' less' if value < 0 else ''}", style=style))
    label = ", ".join(f"{name} {value:+z.2f}" for name, value in parts.items())
    return element("span", *pieces, class_="bar", role="img", aria_label=label, title=label)


def legend(look: Look) -> Element:
    """Return a folded legend of the colours of the bars."""
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


def why_box(why: Explanation, question: Question, place: str) -> Element:
    """Return the explanation of one item: what adds up to its score, and what the score depends on."""
    whole = sum(map(abs, why.contributions.values())) or 1.0
    parts = [
        element(
            "tr",
            element("th", name),
            element("td", f"{value:+z.2f}", class_="number"),
            element("td", f"{100 * value / whole:+z.0f} %", class_="number"),
            *(element("td", text, class_="number") for text in _weights(why, name)),
        )
        for name, value in why.contributions.items()
    ]
    names = ("adds", "share", "weight", "all users") if why.weights else ("adds", "share")
    head = element("tr", element("th", "part"), *(element("th", name, class_="number") for name in names))
    close = Question(question.items, question.out, question.off, question.search, "", question.user)
    return element(
        "div",
        element("h3", f"Why {why.title or why.item_id}?"),
        element("p", why.sentence),
        element("table", head, *parts),
        *(
            [element("p", "weight: of this history, and the mean of all users", class_="soft")]
            if why.weights
            else []
        ),
        element("h3", "Without these, its score would be"),
        element("table", *_effects(why, question)),
        action("close", close, "close the explanation"),
        class_="why",
        id=place,
    )


def _weights(why: Explanation, name: str) -> list[str]:
    """Return the weight of a part for this history and for all users; nothing if there is no gate."""
    if not why.weights:
        return []
    return [f"{given[name]:.2f}" if name in given else "-" for given in (why.weights, why.average_weights)]


def _effects(why: Explanation, question: Question) -> list[Element]:
    """Return one row per past item and modality: how much lower the score is without it."""
    ranked = sorted(
        (past for past in why.history if past.effect is not None), key=lambda past: -(past.effect or 0)
    )
    effects = [(past.title or past.item_id, past.effect or 0.0) for past in ranked[:5]]
    effects += [
        (f"any {name}", effect) for name, effect in why.modalities.items() if name not in question.off
    ]
    most = max((abs(effect) for _, effect in effects), default=1.0) or 1.0
    return [_effect(name, effect, 100 * abs(effect) / most) for name, effect in effects]


def _effect(name: str, effect: float, percent: float) -> Element:
    size = f"{abs(effect):.2f}"
    lower = "the same" if size == "0.00" else f"{size} {'lower' if effect >= 0 else 'higher'}"
    kind = f"part-0{' less' if effect < 0 else ''}"
    piece = element("span", element("span", class_=kind, style=f"width:{percent:.1f}%"), class_="bar")
    return element(
        "tr",
        element("th", name),
        element("td", lower, class_="number"),
        element("td", piece, class_="wide"),
    )
