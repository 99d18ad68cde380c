"""Ids that are probably a mistake of the program that wrote them. They stay as they are, and a note names them."""

import polars as pl

_MISSING = ("nan", "null", "none", "na", "n/a", "<na>", "nat", "\\n", "undefined", "#n/a")
_SHORTENED = r"^\d(?:[.,]\d+)?E\+\d{2,}$"
"""What Excel shows and saves in place of a long number."""


def note_on_ids(events: pl.Series, ids: pl.Series) -> tuple[str, ...]:
    """Return notes on ids that stand for a missing value, that a spreadsheet has shortened, or that look alike.

    Args:
        events: `user_id` or `item_id` of every event.
        ids: the same, each id once.
    """
    return (*_missing(events, ids), *_shortened(ids), *_alike(ids))


def _missing(events: pl.Series, ids: pl.Series) -> list[str]:
    short = ids.filter(ids.str.len_bytes() <= max(map(len, _MISSING)))
    found = short.filter(short.str.to_lowercase().is_in(_MISSING))
    return [
        f"{ids.name} {one!r}, of {int((events == one).sum()):,} interactions, is kept as an id; if it means a "
        "missing id, remove these rows"
        for one in found
    ]


def _shortened(ids: pl.Series) -> list[str]:
    found = ids.filter(ids.str.contains(_SHORTENED))
    if not len(found):
        return []
    return [
        f"{ids.name}: some ids ({len(found):,}) such as {found[0]!r} are long numbers that a spreadsheet has "
        "shortened, so that different ids may have become one; export the column as text"
    ]


def _alike(ids: pl.Series) -> list[str]:
    plain = ids.str.strip_chars().str.normalize("NFC") if ids.str.contains(r"[^!-~]").any() else ids
    changed = ids != plain
    if not changed.any():
        return []
    table = pl.DataFrame({"id": ids, "plain": plain, "changed": changed})
    groups = table.group_by("plain", maintain_order=True).agg("id", pl.col("changed").any())
    groups = groups.filter(pl.col("changed") & (pl.col("id").list.len() > 1))
    if groups.is_empty():
        return []
    one, other = groups["id"][0][:2]
    return [
        f"{ids.name}: some ids ({len(groups):,}) have several forms, such as {ascii(one)} and {ascii(other)}, which "
        "differ only in outer spaces or the form of accents (NFC, NFD); they count as different ids; make them alike"
    ]
