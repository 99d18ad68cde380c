"""A prepared dataset: numbered interactions, catalogue, features and split, in memory and as a folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from prism_rec.config import Config
from prism_rec.data.assemble import assemble
from prism_rec.data.bag import Table
from prism_rec.data.clean import Cleaning
from prism_rec.data.dataset_folder import LEFT_OUT, SPLITS, STAGE, TABLES, read, write
from prism_rec.data.embedding_folder import read_encoder
from prism_rec.data.event_table import events_from
from prism_rec.data.feature_table import Catalogue, FeatureTable
from prism_rec.data.frames import complete_columns, entities_from, to_polars
from prism_rec.data.histories import Histories
from prism_rec.data.left_out import SCHEMA, why
from prism_rec.data.principal_axes import FeatureMap, PrincipalAxes
from prism_rec.data.queries import Queries
from prism_rec.data.raw_log import RawLog, TimeKind
from prism_rec.data.split import LeaveOneOut, Split, SplitRule, needs_parts
from prism_rec.data.split_checks import check_needs, check_questions, compare_parts
from prism_rec.data.times import TimeUnit, in_seconds
from prism_rec.data.vectors import table_from
from prism_rec.errors import DamagedError, DataError
from prism_rec.inputs import checked
from prism_rec.plugins import choose


@dataclass(frozen=True, eq=False)
class Dataset:
    """Everything that training and evaluation read.

    Attributes:
        interactions: `user` (0..U-1), `item` (1..N; 0 is padding), `timestamp`, and `part` if the source has parts;
            sorted by user, then part if the split is given, then time, equal times in the order of the file unless
            they are shuffled.
        users: `row` (0..U-1), `user_id` (string, unchanged), given columns.
        items: `row` (1..N), `item_id` (string, unchanged), given columns.
        features: one table per modality, by name, in the order given; may be empty.
        rule: how histories are split.
        time: what the timestamps mean.
        cleaning: which events were dropped.
        dropped: how much was dropped, and why.
        notes: one line each on what was inferred, and on the first problems of the source's files.
        unit: the unit of the timestamps: s, ms, us or ns.
        read: how many interactions, users and items were read; each number is that of the dataset plus those dropped.
        encoders: how new contents are encoded like those of a modality, by its name, if its vectors came from a folder
            of the stage embed; JSON values (`features.stored_encoder`).
        left_out: `role`, `id`, `events`: the users and items of the log that were dropped; empty if they are over a
            million.
        maps: the map that was applied to the vectors of a modality, by its name; new vectors of it get the same map.
    """

    interactions: pl.DataFrame
    users: pl.DataFrame
    items: pl.DataFrame
    features: dict[str, Table]
    rule: SplitRule
    time: TimeKind
    cleaning: Cleaning
    dropped: dict[str, int]
    notes: tuple[str, ...] = ()
    unit: str = "s"
    read: dict[str, int] = field(default_factory=dict)
    encoders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    left_out: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))
    maps: Mapping[str, FeatureMap] = field(default_factory=dict)

    @classmethod
    @checked
    def from_frame(
        cls,
        interactions: Any,
        items: Any = None,
        features: Mapping[str, Any] | None = None,
        *,
        users: Any = None,
        columns: Mapping[str, str] | None = None,
        time: TimeKind = "absolute",
        time_unit: TimeUnit | None = None,
        event_types: Sequence[str] = (),
        min_rating: float | None = None,
        duplicates: Literal["first", "last", "all"] = "first",
        ties: Literal["file", "shuffle"] = "file",
        core: int = 1,
        split: str | Mapping[str, Any] | SplitRule = "leave-one-out",
        allow_unknown_features: bool = False,
    ) -> "Dataset":
        """Make a dataset from a log in memory.

        Users and items are numbered in the order in which they first appear among the interactions kept. The
        catalogue has the items with at least one interaction kept, in training or not.

        Args:
            interactions: polars, pandas or Arrow frame with one row per event: `user_id`, `item_id`, `timestamp`,
                and `rating` if `min_rating` is given.
            items: frame with `item_id` and any columns (title, ...); items of the log may be missing from it.
            features: for each modality a pair (matrix [R, d], R item ids), a pair (`Bag`, R item ids), a frame, a
                `FeatureTable`, or a folder of the stage embed; see `vectors.table_from`. Any item may lack any
                modality.
            users: frame with `user_id` and any columns.
            columns: the names in all frames for the roles `user`, `item`, `timestamp`, `rating`, `event` and `history`,
                if they differ.
            time: what timestamps mean; with "order" they may be missing, and the order of the rows counts.
            time_unit: the unit of numbers, such as "ms"; by default their size tells.
            event_types: keep events of these types only; by default all.
            min_rating: drop events rated lower.
            duplicates: which of a user's several events with the same item to keep.
            ties: the order of a user's events at the same time: that of the rows, or a random one.
            core: drop users and items with fewer events, repeatedly until none is left.
            split: the kind of a split, a mapping with `kind` and its settings, or the settings themselves
                (`LeaveOneOut`, `Temporal`).
            allow_unknown_features: skip and count feature ids that no frame has, instead of refusing them.

        Raises:
            InputError: a frame or setting is wrong; the message names column and row.
        """
        columns = columns or {}
        frame = to_polars(interactions, "interactions", complete_columns(columns).values()).lazy()
        log = events_from(frame, columns, time, "interactions", time_unit).as_log(
            items=_entities(items, "item_id", columns, "items"),
            users=_entities(users, "user_id", columns, "users"),
        )
        settings: dict[str, Any] = {"event_types": tuple(event_types), "min_rating": min_rating}
        settings |= {"duplicates": duplicates, "ties": ties, "core": core}
        rule = split if isinstance(split, Config) else choose(SplitRule, split, "split")
        cleaning = Cleaning.parse(settings, "cleaning")
        return cls.from_log(log, cleaning, rule, features, allow_unknown_features, columns)

    @classmethod
    @checked
    def from_log(
        cls,
        log: RawLog,
        cleaning: Cleaning | None = None,
        rule: SplitRule | None = None,
        features: Mapping[str, Any] | None = None,
        allow_unknown_features: bool = False,
        columns: Mapping[str, str] | None = None,
    ) -> "Dataset":
        """Make a dataset from the log that a source returned.

        Args:
            log: the events, and items, users and features if there are any.
            cleaning: what to drop; by default only a user's repeated events with the same item.
            rule: how to split; leave-one-out by default.
            features: see `from_frame`; one of the same name as one of the log replaces it.
            allow_unknown_features: see `from_frame`.
            columns: `item`, the name of the column of ids in frames of features; by default `item_id`.

        Raises:
            InputError: the split needs other times, no event or question is left, or a feature is wrong.
        """
        cleaning, rule = cleaning or Cleaning(), rule or LeaveOneOut()
        check_needs(rule, log)
        tables = assemble(log, cleaning, rule.shortest_history, needs_parts(rule))
        dataset = cls(
            interactions=tables.interactions,
            users=tables.users,
            items=tables.items,
            features={},
            rule=rule,
            time=log.time,
            cleaning=cleaning,
            dropped=tables.dropped,
            notes=tables.notes,
            unit=log.unit,
            read=tables.read,
            left_out=tables.left_out,
        )
        check_questions(rule, dataset.split)
        if "part" in tables.interactions.columns and not needs_parts(rule):
            found = compare_parts(rule, dataset.split, dataset.histories, tables.interactions["part"])
            dataset = replace(dataset, notes=(*tables.notes, *found))
        features = {**log.features, **(features or {})}
        return dataset.with_features(features, tables.known_items, allow_unknown_features, columns)

    @checked
    def with_features(
        self,
        features: Mapping[str, Any],
        known_ids: pl.Series | None = None,
        allow_unknown: bool = False,
        columns: Mapping[str, str] | None = None,
    ) -> "Dataset":
        """Return the same dataset with further modalities; one of an existing name replaces it.

        Args:
            features: as in `from_frame`.
            known_ids: ids outside the catalogue that are not mistakes, such as those of dropped items.
            allow_unknown: skip and count ids that are neither, instead of refusing them.
            columns: see `from_log`.

        Raises:
            InputError: see `feature_table.align`.
        """
        catalogue = Catalogue(
            self.items["item_id"], pl.Series([], dtype=pl.String) if known_ids is None else known_ids
        )
        tables, dropped, encoders = dict(self.features), dict(self.dropped), dict(self.encoders)
        maps = {name: of for name, of in self.maps.items() if name not in features}
        for name, given in features.items():
            encoders.pop(name, None)
            encoder = read_encoder(Path(given)) if isinstance(given, str | Path) else None
            if encoder is not None:
                encoders[name] = encoder
            tables[name], counts = table_from(name, given, catalogue, allow_unknown, columns)
            dropped |= {f"{name}_vectors_{reason}": count for reason, count in counts.items()}
        return replace(self, features=tables, dropped=dropped, encoders=encoders, maps=maps)

    @checked
    def with_axes(self, settings: PrincipalAxes) -> "Dataset":
        """Return the same dataset with vectors in their principal axes, and with the maps that do it.

        Words, and modalities that have a map already, stay as they are.

        Args:
            settings: how vectors are changed; by default they are not.

        Raises:
            DataError: all vectors of a modality are equal.
        """
        tables, maps, dropped, notes = dict(self.features), dict(self.maps), dict(self.dropped), [*self.notes]
        for name, table in self.features.items():
            if not isinstance(table, FeatureTable) or name in maps or not settings.is_needed():
                continue
            maps[name] = FeatureMap.fit(name, table, settings)
            tables[name] = maps[name].apply(table)
            notes.append(
                f"feature {name}: {tables[name].width} principal axes of {table.width}"
                f"{', whitened' if settings.whiten else ''}"
            )
            key = f"{name}_vectors_zero"
            dropped[key] = dropped.get(key, 0) + int(table.present.sum()) - int(tables[name].present.sum())
        return replace(self, features=tables, maps=maps, dropped=dropped, notes=tuple(notes))

    def __repr__(self) -> str:
        """Return one line with the sizes; `describe` says more."""
        counts = ", ".join(f"{count:,} {name}" for name, count in self.counts().items())
        tables = "".join(f", {name} {table.width}" for name, table in self.features.items())
        return f"Dataset({counts}, {self.rule.kind}{tables})"

    @property
    def number_of_items(self) -> int:
        """N, without padding."""
        return len(self.items)

    @property
    def number_of_users(self) -> int:
        """U."""
        return len(self.users)

    @cached_property
    def histories(self) -> Histories:
        """Every user's whole history, U in all."""
        # torch warns about arrays that are not writable
        items = self.interactions["item"].to_numpy(writable=True)
        return Histories.from_users(self.interactions["user"].to_numpy(), items, self.number_of_users)

    @cached_property
    def split(self) -> Split:
        """The cuts of each history."""
        if needs_parts(self.rule):
            return self.rule.cut(self.histories, self.interactions["part"].to_numpy())
        return self.rule.cut(self.histories, self.seconds().to_numpy())

    def seconds(self) -> pl.Series:
        """Return the times of the interactions in seconds."""
        return in_seconds(self.interactions["timestamp"], self.unit)

    def counts(self) -> dict[str, int]:
        """Return U, N and the number of interactions."""
        return {"users": len(self.users), "items": len(self.items), "interactions": len(self.interactions)}

    def training(self) -> Histories:
        """Return U histories, cut at the end of training; a temporal split may leave some of them empty."""
        return self.histories.prefixes(np.arange(self.number_of_users), self.split.train_end)

    @checked
    def queries(self, part: Literal["validation", "test"]) -> Queries:
        """Return one question for each user who has a target in this part, by rising user."""
        split = self.split
        at, candidates = (
            (split.validation_at, split.validation_candidates)
            if part == "validation"
            else (split.test_at, split.test_candidates)
        )
        users = np.flatnonzero(at >= 0)
        targets = self.histories.items[self.histories.offsets[users] + at[users]]
        return Queries(users, self.histories.prefixes(users, at[users]), targets, candidates)

    def why_absent(self, role: Literal["user", "item"], wanted: str) -> str | None:
        """Return why a user or item of the log is not in the dataset; None if the log did not have it either."""
        return why(self.left_out, role, wanted, self.fewest_events(role))

    def fewest_events(self, role: Literal["user", "item"]) -> int:
        """Return the number of events below which a user or item is not in the dataset."""
        return max(self.cleaning.core, self.rule.shortest_history if role == "user" else 1)

    def number_left_out(self, role: Literal["user", "item"]) -> int:
        """Return how many users or items of the log and its tables are not in the dataset."""
        kept = self.number_of_users if role == "user" else self.number_of_items
        of_log = self.read.get(f"{role}s", kept) - kept  # known even if there are too many to keep their ids
        return max(of_log, int((self.left_out["role"] == role).sum()))

    def require_targets(self, *parts: Literal["validation", "test"]) -> None:
        """Refuse to measure on data whose split leaves no targets, such as the split `none`.

        Raises:
            DataError: a part has no target.
        """
        for part in parts:
            if not len(self.queries(part).users):
                raise DataError(
                    f"the data has no {part} targets (its split is {self.rule.kind}), so nothing can be measured; "
                    "prepare it with another `split`"
                )

    @checked
    def save(
        self,
        folder: Path | str,
        config: Mapping[str, Any] | None = None,
        inputs: Sequence[Path] = (),
        kept: Sequence[str] = (),
    ) -> None:
        """Write the dataset as a stage folder, its manifest last.

        Args:
            folder: new, empty, or with a prepared dataset, which is replaced.
            config: further settings to record.
            inputs: the files that were read; each is recorded with its hash.
            kept: names of further files that are written next, such as cards.

        Raises:
            FolderError: the folder has something else.
        """
        rule = self.rule.model_dump(mode="json")
        write(
            Path(folder),
            tables={name: getattr(self, name) for name in (*TABLES, LEFT_OUT)},
            features=self.features,
            encoders=self.encoders,
            maps=self.maps,
            split={"rule": rule, "counts": self.split.counts()},
            config={"cleaning": self.cleaning.model_dump(mode="json"), "split": rule, **(config or {})},
            facts={"counts": self.counts()}
            | {name: getattr(self, name) for name in ("time", "unit", "read", "dropped", "notes")},
            inputs=inputs,
            kept=kept,
        )

    @classmethod
    @checked
    def load(cls, folder: Path | str, mapped: bool = False) -> "Dataset":
        """Read a prepared dataset; every file is compared with its hash in the manifest.

        Args:
            folder: that `save` wrote.
            mapped: keep the vectors in the memory of their files, which processes share. Nothing may write to the files
                as long as the dataset is used.

        Raises:
            FolderError: no such folder, unfinished, or of another stage.
            DamagedError: a file was changed or removed after it was written.
        """
        folder = Path(folder)
        fields, counts = read(folder, mapped)
        dataset = cls(**fields)
        if dataset.split.counts() != counts:
            raise DamagedError(f"{folder / SPLITS} does not fit the interactions; run {STAGE} again")
        return dataset


def _entities(frame: Any, id_name: str, columns: Mapping[str, str], where: str) -> pl.DataFrame | None:
    return None if frame is None else entities_from(to_polars(frame, where), id_name, columns, where)
