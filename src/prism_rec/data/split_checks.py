"""Whether a split fits a log, and whether it leaves questions."""

import numpy as np
import polars as pl

from prism_rec.data.histories import Histories
from prism_rec.data.raw_log import RawLog
from prism_rec.data.split import Split, SplitRule, has_questions, needs_parts
from prism_rec.errors import SettingsError


def check_needs(rule: SplitRule, log: RawLog) -> None:
    """Refuse a split that does not fit the log.

    Raises:
        SettingsError: the log has no absolute times, or no parts.
    """
    if rule.needs_times and log.time != "absolute":
        raise SettingsError(
            f"{rule.kind} needs absolute times, and these are {log.time!r}; use leave-one-out", key="split"
        )
    if needs_parts(rule) and "part" not in log.events.columns:
        raise SettingsError(
            f"{rule.kind} needs a source with files or labels for training, validation and test, and this log has "
            "none; use leave-one-out or temporal",
            key="split",
        )


def check_questions(rule: SplitRule, split: Split) -> None:
    """Refuse a split that should have questions and leaves none.

    Raises:
        SettingsError: validation or test has no target.
    """
    counts = split.counts()
    for part in ("validation", "test"):
        if has_questions(rule) and not counts[f"{part}_queries"]:
            raise SettingsError(
                f"{rule.kind} leaves no {part} target; use other times, give more events, or use `split` none to train "
                "on everything",
                key="split",
            )


def compare_parts(rule: SplitRule, split: Split, histories: Histories, parts: pl.Series) -> list[str]:
    """Return a note if a split differs from that of the source, otherwise nothing.

    Args:
        rule: the settings of the split.
        split: the cuts of U histories.
        histories: the U histories.
        parts: [E], the source's part of every item of `histories`: 0, 1 or 2.
    """
    places = np.arange(len(parts)) - np.repeat(histories.offsets[:-1], histories.lengths)
    made = np.zeros(len(parts), np.int64)
    for ends in (split.train_end, split.validation_end):
        made += places >= np.repeat(ends, histories.lengths)
    users = np.repeat(np.arange(len(histories)), histories.lengths)
    others = len(np.unique(users[parts.to_numpy() != made]))
    if not others:
        return []
    return [
        f"{rule.kind} splits {others:,} of {len(histories):,} users differently from the source's files or labels; "
        "`split` given keeps theirs"
    ]
