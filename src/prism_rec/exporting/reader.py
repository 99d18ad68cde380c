"""Recommends from a folder that `export` wrote. It needs numpy and onnxruntime, and nothing else of this package.

    python recommend.py --history 1,34,260 --k 5

An exported folder has a copy of this file, so that the folder works on its own.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Encode = Callable[[Array, Array], tuple[Array, Array, Array]]
"""Padded histories [B, L] and lengths [B] -> id queries [B, Q], content queries [B, D] and weights [B, J]."""

FACTS, ITEMS, USERS = "export.json", "items.json", "users.json"
MANIFEST, GRAPH = "manifest.json", "encoder.onnx"
AT_ONCE = 256
ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*|([^,]*)),')
"""An item id and the comma after it."""
TINY = np.finfo(np.float32).tiny


def load_exported(folder: Path | str) -> "ExportedRecommender":
    """Load a folder of the format `onnx`.

    Each file is compared with its hash in the manifest.

    Raises:
        ValueError: the folder has no such export, or a file was changed or removed after the export.
    """
    folder = Path(folder)
    if not (folder / MANIFEST).is_file() or not (folder / GRAPH).is_file():
        raise ValueError(f"{folder} has no finished export of the format onnx; run prism-rec export first")
    for name, sha256 in _hashes_in((folder / MANIFEST).read_bytes()).items():
        with suppress(FileNotFoundError), (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                continue
        raise ValueError(
            f"{folder / name} was changed or removed after the export; run prism-rec export again"
        )
    return ExportedRecommender(folder, onnx_encoder(folder / GRAPH))


def _hashes_in(manifest: bytes) -> dict[str, str]:
    """Return the hash of each file by name; of the manifest only if it differs from the hash at its end."""
    content, _, end = manifest.rpartition(b',\n  "sha256": "')
    if end != f'{hashlib.sha256(content).hexdigest()}"\n}}\n'.encode():
        return {MANIFEST: ""}
    return {name: facts["sha256"] for name, facts in json.loads(manifest)["files"].items()}


def onnx_encoder(graph: Path) -> Encode:
    """Return the encoder of histories: onnxruntime, in one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def encode(items_BL: Array, lengths_B: Array) -> tuple[Array, Array, Array]:
        id_query, content_query, weights = session.run(None, {"items": items_BL, "lengths": lengths_B})
        return id_query, content_query, weights

    return encode


class ExportedRecommender:
    """Ranks the catalogue for histories and users, as the run did that was exported.

    The item tables stay in the memory of their files, so that several processes hold them once.

    Args:
        folder: that `export` wrote.
        encode: the part of the model that reads histories.
    """

    def __init__(self, folder: Path, encode: Encode) -> None:
        self.encode = encode
        self.facts: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        items = json.loads((folder / ITEMS).read_text(encoding="utf-8"))
        self.ids: list[str] = items["item_id"]
        self.titles: list[str | None] | None = items["title"]
        self.row_of = {item: row for row, item in enumerate(self.ids, start=1)}
        users = folder / USERS
        self.histories: dict[str, list[str]] = (
            json.loads(users.read_text(encoding="utf-8")) if users.exists() else {}
        )
        self._tables: dict[str, Array] = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in self.facts["tables"]
        }
        self.components: list[str] = self.facts["components"]

    def recommend(
        self,
        histories: Mapping[str, Sequence[str]] | Iterable[Sequence[str]] | None = None,
        users: Iterable[str] | None = None,
        k: int = 10,
        *,
        seen: str | None = None,
        candidates: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the k best items of each history or user; see `Recommender.recommend`.

        Unknown users, and histories without any known item, get the most popular items.

        Args:
            histories: lists of item ids, oldest first, by user; or a list of them.
            users: ids of users of the data, if the folder has them.
            k: number of items per user.
            seen: `remove` or `keep` the items of the history; if not given, as the run was evaluated.
            candidates: rank only these items.
            exclude: leave out these items.

        Returns:
            One dictionary per row of the frame that the run itself returns.

        Raises:
            ValueError: neither or both of `histories` and `users`, a `k` below 1, another `seen`, one text in place of
                a list of ids, or candidates of which none is known.
        """
        if (histories is None) == (users is None) or k < 1:
            raise ValueError("give either histories or users, and a k of at least 1")
        if seen not in (None, "remove", "keep"):
            raise ValueError(f"seen is {seen!r}; give 'remove' or 'keep'")
        if users is not None:
            asked = [(user, self.histories.get(user, [])) for user in _ids(users, "users")]
        elif isinstance(histories, Mapping):
            asked = [(str(user), _ids(items, f"the history of {user}")) for user, items in histories.items()]
        else:
            lists = () if histories is None else _list(histories, "histories")
            asked = [(str(place), _ids(items, f"history {place}")) for place, items in enumerate(lists)]
        left_out_N = self._left_out(candidates, exclude)
        removes = (seen or self.facts["seen"]) == "remove"
        rows: list[dict[str, Any]] = []
        for begin in range(0, len(asked), AT_ONCE):
            part = [(user, self._known(items)) for user, items in asked[begin : begin + AT_ONCE]]
            by_model = self._by_model([known for _, known in part if len(known)], k, removes, left_out_N)
            for user, known in part:
                rows += self._named(user, *(next(by_model) if len(known) else self._popular(k, left_out_N)))
        return rows

    def scores(self, queries: tuple[Array, Array, Array], recent: list[Array]) -> Array:
        """Return the scores of the catalogue [B, N + 1]; that of row 0, padding, is -inf."""
        id_BQ, content_BD, weights_BJ = queries
        tables = self._tables
        scores_BN = np.full((len(id_BQ), len(self.ids) + 1), -np.inf, np.float32)
        begin = 0
        for size, present_J in zip(self.facts["groups"], tables["present"], strict=True):
            weighed_BJD = self._shares(weights_BJ, present_J)[:, :, None] * content_BD[:, None]
            query_BK = np.concatenate([id_BQ, weighed_BJD.reshape(len(id_BQ), -1)], 1)
            group = slice(begin, begin + size)
            scores_BN[:, tables["rows"][group]] = query_BK @ tables["keys"][group].T
            begin += size
        later_T, first_T = tables["twins"]  # equal items have equal scores
        scores_BN[:, later_T] = scores_BN[:, first_T]
        for scores_N, latest in zip(scores_BN, recent, strict=True):
            for near_LX, added_LX in self._neighbours(latest):
                np.add.at(scores_N, near_LX, added_LX)
        return scores_BN

    def _by_model(
        self, histories: list[Array], k: int, removes: bool, left_out_N: Array
    ) -> Iterator[tuple[Array, Array | None, Array | None]]:
        """Yield the best rows of each history, with their scores and contributions."""
        if not histories:
            return
        latest = [history[-self.facts["max_length"] :] for history in histories]
        queries = self.encode(*self._padded(latest))
        scores_BN = self.scores(queries, latest)
        for place, (history, scores_N) in enumerate(zip(histories, scores_BN, strict=True)):
            parts_of = scores_N.copy()
            scores_N[left_out_N] = -np.inf
            if removes:
                scores_N[history] = -np.inf
            best = best_of(scores_N, k)
            yield best, parts_of[best], self._parts([part[place] for part in queries], best, latest[place])

    def _parts(self, queries: list[Array], rows: Array, latest: Array) -> Array:
        """Return the contribution of each component to the scores of some rows."""
        id_Q, content_D, weights_J = queries
        keys_XK = self._tables["keys"][self._tables["place"][rows]]
        groups_X = self._tables["group"][rows]
        parts = [keys_XK[:, : len(id_Q)] @ id_Q]
        if len(weights_J):
            components_XJD = keys_XK[:, len(id_Q) :].reshape(len(rows), len(weights_J), len(content_D))
            shares_XJ = self._shares(weights_J[None], self._tables["present"][groups_X])
            parts += list((components_XJD @ content_D * shares_XJ).T)
        for near_LX, added_LX in self._neighbours(latest):
            parts.append(np.array([added_LX[near_LX == row].sum() for row in rows], np.float32))
        return np.stack(parts, 1)

    def _shares(self, weights: Array, present: Array) -> Array:
        if not self.facts["personal"]:
            return np.ones_like(weights)
        kept = weights * present
        return kept / np.maximum(kept.sum(-1, keepdims=True), TINY)

    def _neighbours(self, latest: Array) -> Iterator[tuple[Array, Array]]:
        """Yield for each term of neighbours the rows that it adds to, by lag, and what it adds."""
        for name in ("similar", "rules"):
            if f"{name}_near" in self._tables:
                near, added = self._tables[f"{name}_near"], self._tables[f"{name}_added"]
                rows = latest[::-1][: added.shape[1]]
                yield near[rows], added[rows, np.arange(len(rows))]

    def _padded(self, latest: list[Array]) -> tuple[Array, Array]:
        lengths = np.array([len(history) for history in latest], np.int64)
        items = np.zeros((len(latest), self.facts["window"] or lengths.max()), np.int64)
        for row, history in enumerate(latest):
            items[row, : len(history)] = history
        return items, lengths

    def _popular(self, k: int, left_out_N: Array) -> tuple[Array, None, None]:
        rows = self._tables["popular"]
        return rows[~left_out_N[rows]][:k], None, None

    def _left_out(self, candidates: Iterable[str] | None, exclude: Iterable[str] | None) -> Array:
        left_out_N = np.full(len(self.ids) + 1, candidates is not None)
        if candidates is not None:
            known = self._known(_ids(candidates, "candidates"))
            if not len(known):
                raise ValueError("none of the candidates is known to the model; check their ids")
            left_out_N[known] = False
        left_out_N[self._known(_ids(() if exclude is None else exclude, "exclude"))] = True
        return left_out_N

    def _known(self, items: Iterable[str]) -> Array:
        return np.array([self.row_of[item] for item in items if item in self.row_of], np.int64)

    def _named(
        self, user: str, rows: Array, scores: Array | None, parts: Array | None
    ) -> Iterator[dict[str, Any]]:
        for place, row in enumerate(rows.tolist()):
            title = {} if self.titles is None else {"title": self.titles[row - 1]}
            shares = [None] * len(self.components) if parts is None else map(float, parts[place])
            yield {
                "user_id": user,
                "item_id": self.ids[row - 1],
                **title,
                "score": None if scores is None else float(scores[place]),
                "rank": place + 1,
                "basis": "popularity" if scores is None else "model",
                **dict(zip(self.components, shares, strict=True)),
            }


def _list(values: Iterable[Any], what: str) -> list[Any]:
    if isinstance(values, str | bytes | Mapping | set | frozenset):
        raise ValueError(f"{what}: give a list, not {type(values).__name__}")
    return list(values)


def _ids(values: Iterable[Any], what: str) -> list[str]:
    return [str(value) for value in _list(values, what)]


def best_of(scores_N: Array, k: int) -> Array:
    """Return the rows of the k highest scores, best first; of equal scores the lower row comes first."""
    k = min(k, len(scores_N))
    last = np.partition(scores_N, -k)[-k]
    rows = np.flatnonzero((scores_N >= last) & (scores_N > -np.inf))
    return rows[np.argsort(-scores_N[rows], kind="stable")[:k]]


def split_ids(text: str) -> list[str]:
    """Return the ids of a text that separates them by commas; an id that has a comma is in double quotes."""
    ids = [
        plain.strip() if quoted is None else quoted.replace('""', '"')
        for quoted, plain in (found.groups() for found in ITEM.finditer(f"{text},"))
    ]
    return [item for item in ids if item]


def main() -> None:
    """Print recommendations as JSON lines; a mistake ends with one line and status 2."""
    parser = argparse.ArgumentParser(
        description="Recommend items from an exported folder; prints JSON lines."
    )
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="the exported folder")
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument(
        "--history",
        default="",
        help="A,B,C: item ids, oldest first; an id that has a comma is in double quotes, as in '\"a,b\",c'",
    )
    whom.add_argument("--user", help="a user of the run, if the folder was exported with --users")
    parser.add_argument("--k", type=int, default=10, help="number of items")
    options = parser.parse_args()
    try:
        recommender = load_exported(options.folder)
        rows = _answer(recommender, options.user, split_ids(options.history), options.k)
    except ValueError as error:
        parser.exit(2, f"error: {error}\n")
    for row in rows:
        sys.stdout.write(json.dumps(row) + "\n")


def _answer(
    recommender: ExportedRecommender, user: str | None, history: list[str], k: int
) -> list[dict[str, Any]]:
    """Return the rows for a user or a history; notes on the error stream say what is unknown."""
    if user is not None:
        if not recommender.histories:
            raise ValueError("the folder has no users; give --history, or export with --users")
        if user not in recommender.histories:
            sys.stderr.write(f"note: user {user!r} is unknown\n")
        return recommender.recommend(users=[user], k=k)
    unknown = [item for item in history if item not in recommender.row_of]
    if unknown:
        sys.stderr.write(
            f"note: {len(unknown)} items of the history are unknown, first {unknown[0]!r}; left out\n"
        )
    return recommender.recommend([history], k=k)


if __name__ == "__main__":
    main()
