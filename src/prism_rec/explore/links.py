"""Links from one question to another."""

from xml.etree.ElementTree import Element

from prism_rec.explore.question import Question
from prism_rec.markup import element


def action(text: str, question: Question, label: str, kind: str = "action") -> Element:
    """Return a link to another question; the label says in full what it does."""
    link = element("a", text, href=question.address(), class_=kind)
    link.set("aria-label", label)
    return link
