"""A prepared dataset: numbered interactions, catalogue, features and split, in memory and as a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from prism_rec.data.bag import Bag, BagTable
from prism_rec.data.clean import Cleaning, clean
from prism_rec.data.feature_table import Catalogue, FeatureTable
from prism_rec.data.frames import entities_from, events_from, to_polars
from prism_rec.data.histories import Histories, IntArray
from prism_rec.data.numbering import describe_rows, number_ids, renumber
from prism_rec.data.raw_log import RawLog, TimeKind
from prism_rec.data.split import Split, SplitRule, parse_rule
from prism_rec.data.vectors import check_modality_name, table_from
from prism_rec.errors import InputError


@dataclass(frozen=True, eq=False)
class Queries:
    """Next-item questions, one a row.

    Attributes:
        users: int64 [Q], the user of each question; each user at most once.
        histories: Q histories, each what the user did before the target; never empty.
        targets: int64 [Q], the catalogue row of the item to be found.
    """

    users: IntArray
    histories: Histories
    targets: IntArray


@dataclass(frozen=True, eq=False)
class Dataset:
    """Everything that training and evaluation read.

    Attributes:
        interactions: `user` (0..U-1), `item` (1..N; 0 is padding), `timestamp`; sorted by user, then time,
            equal times in the order of the file.
        users: `row` (0..U-1), `user_id` (string, exactly as given), given columns.
        items: `row` (1..N), `item_id` (string, exactly as given), given columns.
        features: a table a modality, by name, in the order given; may be empty.
        rule: how histories are split.
        time: what the timestamps mean.
        cleaning: what was left out.
        dropped: how much of what was left out, and why.
        notes: one line each on the first things that the source could not read, with file and line.
    """

    interactions: pl.DataFrame
    users: pl.DataFrame
    items: pl.DataFrame
    features: dict[str, FeatureTable | BagTable]
    rule: SplitRule
    time: TimeKind
    cleaning: Cleaning
    dropped: dict[str, int]
    notes: tuple[str, ...] = ()

    @classmethod
    def from_frame(
        cls,
        interactions: Any,
        items: Any = None,
        features: Mapping[str, Any] | None = None,
        *,
        users: Any = None,
        columns: Mapping[str, str] | None = None,
        time: TimeKind = "absolute",
        min_rating: float | None = None,
        duplicates: Literal["first", "last", "all"] = "first",
        core: int = 1,
        split: str | SplitRule = "leave-one-out",
        allow_unknown_features: bool = False,
    ) -> Dataset:
        """Make a dataset from a log in memory.

        Users and items are numbered in the order in which they first appear among the interactions kept. The
        catalogue is the items with at least one interaction kept, seen in training or not.

        Args:
            interactions: polars, pandas or Arrow frame, one row an event: `user_id`, `item_id`, `timestamp`,
                and `rating` where `min_rating` is given.
            items: frame with `item_id` and any columns (title, ...); items of the log may be missing from it.
            features: for each modality a pair (matrix [R, d], R item ids), a frame, a `FeatureTable`; see
                `vectors.table_from`; or a `Bag` of the words of columns of `items`. Any item may lack any modality.
            users: frame with `user_id` and any columns.
            columns: the frames' names for the roles `user`, `item`, `timestamp`, `rating`, where they differ.
            time: what timestamps mean; with "order" they may be missing, and the rows' order counts.
            min_rating: drop events rated lower.
            duplicates: which of a user's several events with one item to keep.
            core: drop users and items with fewer events, until none is left.
            split: "leave-one-out", "temporal" or a rule with its parameters (`LeaveOneOut`, `Temporal`).
            allow_unknown_features: count feature ids that no frame knows, rather than refuse them.

        Raises:
            InputError: anything wrong with the frames or the settings, naming column and row.
        """
        columns = columns or {}
        log = RawLog(
            events=events_from(to_polars(interactions, "interactions").lazy(), columns, time, "interactions"),
            items=_entities(items, "item_id", columns, "items"),
            users=_entities(users, "user_id", columns, "users"),
            time=time,
        )
        settings = {"min_rating": min_rating, "duplicates": duplicates, "core": core}
        cleaning = Cleaning.parse(settings, "cleaning")
        return cls.from_log(log, cleaning, parse_rule(split), features, allow_unknown_features)

    @classmethod
    def from_log(
        cls,
        log: RawLog,
        cleaning: Cleaning,
        rule: SplitRule,
        features: Mapping[str, Any] | None = None,
        allow_unknown_features: bool = False,
    ) -> Dataset:
        """Make a dataset from what a source yields; see `from_frame`.

        A feature given here replaces the one of the same name that came with the log.

        Raises:
            InputError: the split needs other times than there are, nothing is left, no question is left, or a
                feature is wrong.
        """
        if rule.name == "temporal" and log.time != "absolute":
            raise InputError(
                f"a temporal split needs absolute times and these are {log.time!r}; use --split leave-one-out"
            )
        users, user_ids = number_ids(log.events["user_id"])
        items, item_ids = number_ids(log.events["item_id"])
        events = (
            log.events.drop("user_id", "item_id").with_columns(user=users, item=items).with_row_index("row")
        )
        events, dropped = clean(events, cleaning, rule.shortest_history)
        new_users, kept_users = renumber(events, "user", first=0)
        new_items, kept_items = renumber(events, "item", first=1)
        interactions = events.select(new_users.alias("user"), new_items.alias("item"), "timestamp")
        dataset = cls(
            interactions=interactions.sort("user", maintain_order=True),
            users=describe_rows(user_ids.gather(kept_users).alias("user_id"), log.users, first=0),
            items=describe_rows(item_ids.gather(kept_items).alias("item_id"), log.items, first=1),
            features={},
            rule=rule,
            time=log.time,
            cleaning=cleaning,
            dropped={**log.dropped, **dropped},
            notes=log.notes,
        )
        dataset._require_queries()
        known = item_ids if log.items is None else pl.concat([item_ids, log.items["item_id"]])
        return dataset.with_features({**log.features, **(features or {})}, known, allow_unknown_features)

    def with_features(
        self, features: Mapping[str, Any], known_ids: pl.Series | None = None, allow_unknown: bool = False
    ) -> Dataset:
        """Return the same dataset with further modalities; one of an existing name replaces that one.

        Args:
            features: as in `from_frame`.
            known_ids: ids that are no mistake though not in the catalogue, such as those of dropped items.
            allow_unknown: count ids that are neither, rather than refuse them.

        Raises:
            InputError: see `feature_table.align`.
        """
        catalogue = Catalogue(
            self.items["item_id"], pl.Series([], dtype=pl.String) if known_ids is None else known_ids
        )
        tables, dropped = dict(self.features), dict(self.dropped)
        for name, given in features.items():
            if isinstance(given, Bag):
                tables[check_modality_name(name)] = BagTable.fit(name, self.items, given)
                continue
            tables[name], counts = table_from(name, given, catalogue, allow_unknown)
            dropped |= {f"{name}_vectors_{reason}": count for reason, count in counts.items()}
        return replace(self, features=tables, dropped=dropped)

    @property
    def number_of_items(self) -> int:
        """N, padding not counted."""
        return len(self.items)

    @property
    def number_of_users(self) -> int:
        """U."""
        return len(self.users)

    @cached_property
    def histories(self) -> Histories:
        """Every user's whole history, U in all."""
        items = self.interactions["item"].to_numpy(writable=True)  # torch warns of arrays that are not
        return Histories.from_users(self.interactions["user"].to_numpy(), items, self.number_of_users)

    @cached_property
    def split(self) -> Split:
        """Where the rule cuts each history."""
        return self.rule.cut(self.histories, self.interactions["timestamp"].to_numpy())

    def counts(self) -> dict[str, int]:
        """Return U, N and the number of interactions."""
        return {"users": len(self.users), "items": len(self.items), "interactions": len(self.interactions)}

    def training(self) -> Histories:
        """Return U histories, cut where training ends; a temporal split may leave some empty."""
        return self.histories.prefixes(np.arange(self.number_of_users), self.split.train_end)

    def queries(self, part: Literal["validation", "test"]) -> Queries:
        """Return one question for each user who has a target in this part, by rising user."""
        at = self.split.validation_at if part == "validation" else self.split.test_at
        users = np.flatnonzero(at >= 0)
        targets = self.histories.items[self.histories.offsets[users] + at[users]]
        return Queries(users, self.histories.prefixes(users, at[users]), targets)

    def save(
        self, folder: Path | str, config: Mapping[str, Any] | None = None, inputs: Iterable[Path] = ()
    ) -> None:
        """Write the dataset as a stage folder, its manifest last.

        Args:
            folder: new, empty, or a prepared dataset, which is replaced.
            config: further settings to record.
            inputs: files that were read, to be recorded with their hashes.

        Raises:
            InputError: the folder holds something else.
        """
        from prism_rec.data.dataset_folder import save_dataset  # it needs this class

        save_dataset(self, Path(folder), config or {}, inputs)

    @classmethod
    def load(cls, folder: Path | str) -> Dataset:
        """Read a prepared dataset; every file is compared with the hash in the manifest.

        Raises:
            InputError: no such folder, unfinished, another stage's, or changed since it was written.
        """
        from prism_rec.data.dataset_folder import load_dataset  # it needs this class

        return load_dataset(Path(folder))

    def _require_queries(self) -> None:
        counts = self.split.counts()
        for part in ("validation", "test"):
            if not counts[f"{part}_queries"]:
                raise InputError(f"the {self.rule.name} split leaves no {part} target; choose other moments")


def _entities(frame: Any, id_name: str, columns: Mapping[str, str], where: str) -> pl.DataFrame | None:
    return None if frame is None else entities_from(to_polars(frame, where), id_name, columns, where)
