"""An index for large catalogues: lists of similar items, of which a request reads a few.

The keys of each `KeyGroup` are divided into lists by k-means (faiss, the extra `ann`). The lists that fit a user's
query best give candidates, and the model scores these exactly. So an index may miss an item, but scores are exact.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from prism_rec.data.histories import Histories
from prism_rec.model.keys import KeyGroup
from prism_rec.rank.ordering import best
from prism_rec.rank.ranker import BestItems, CatalogueRanker
from prism_rec.rank.seen import Seen

SPARE = 100
"""Candidates beyond those that are asked for and those that the user has seen."""
USERS_AT_ONCE = 32
POINTS = 64
"""Items per list from which k-means learns."""
DOWNCAST = "downcast_InvertedLists"
"""A function of faiss. As an attribute it would read like a tensor with axes."""


class Lists(NamedTuple):
    """The lists of one group of keys."""

    group: KeyGroup
    index: Any  # faiss.IndexIVFFlat

    @classmethod
    def of(cls, group: KeyGroup) -> "Lists":
        """Divide keys into lists: about as many as the square root of the number of items, times two."""
        import faiss

        keys_IK = group.keys_IK.detach().float().numpy()
        number, width = keys_IK.shape
        lists = max(1, round(2 * number**0.5) if number > 4 * POINTS else 1)
        faiss.omp_set_num_threads(torch.get_num_threads())
        index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, lists, faiss.METRIC_INNER_PRODUCT)
        index.cp.min_points_per_centroid = 1
        some = np.random.default_rng(0).permutation(number)[: POINTS * lists]
        index.train(keys_IK[np.sort(some)])
        index.add(keys_IK)
        return cls(group, index)

    @classmethod
    def load(cls, group: KeyGroup, file: Path) -> "Lists":
        """Map the files that `save` wrote into memory: processes that map the same file hold it once."""
        import faiss

        faiss.omp_set_num_threads(torch.get_num_threads())
        index: Any = faiss.read_index(str(file), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
        lists: Any = getattr(faiss, DOWNCAST)(index.invlists)
        lists.prefetch_nthread = 0  # a thread per list takes longer
        return cls(group, index)

    def save(self, file: Path) -> None:
        """Write the lists."""
        import faiss

        faiss.write_index(self.index, str(file))

    def search(self, queries_BK: Float[Tensor, "B K"], number: int, probes: int) -> Int[Tensor, "B C"]:
        """Return the catalogue rows of highest inner product in some lists; 0 if they have too few."""
        import faiss

        parameters: Any = faiss.SearchParametersIVF
        chosen = parameters(nprobe=min(probes, self.index.nlist))
        _, places = self.index.search(queries_BK.float().numpy(), number, params=chosen)
        places_BC = torch.from_numpy(places)
        return self.group.rows_I[places_BC.clamp(min=0)] * (places_BC >= 0)


class CatalogueIndex:
    """Finds the best items among candidates; a user for whom too few are left is ranked exactly.

    Args:
        ranker: of the catalogue, on the CPU.
        lists: for each member of the ranker those of its groups.
        probes: number of lists of a group that a request reads.
    """

    def __init__(self, ranker: CatalogueRanker, lists: Sequence[Sequence[Lists]], probes: int) -> None:
        self.ranker = ranker
        self.lists = lists
        self.probes = probes

    @property
    def most_lists(self) -> int:
        """The number of lists of the largest group: more probes find nothing more."""
        return max(one.index.nlist for groups in self.lists for one in groups)

    @torch.no_grad()
    def best_items(
        self, histories: Histories, k: int, seen: Seen, allowed: np.ndarray | None = None
    ) -> Iterator[BestItems]:
        """Yield the k best items of some users at a time, as `CatalogueRanker.best_items` does."""
        allowed_N = None
        if allowed is not None:
            allowed_N = torch.zeros(self.ranker.number_of_items + 1, dtype=torch.bool)
            allowed_N[torch.from_numpy(allowed)] = True
        possible = self.ranker.number_of_items if allowed is None else len(allowed)
        for begin in range(0, len(histories), USERS_AT_ONCE):
            questions = np.arange(begin, min(begin + USERS_AT_ONCE, len(histories)))
            users = self.ranker.states(histories, questions)
            seen_BL = (
                _padded(histories, questions) if seen == "remove" else torch.zeros(len(questions), 0).long()
            )
            rows_BC = self._candidates(users, k + seen_BL.shape[1] + SPARE)
            scores_BC = self.ranker.contributions(users, rows_BC).sum(-1)
            scores_BC[_left_out(rows_BC, seen_BL, allowed_N)] = -torch.inf
            scores_Bk, places_Bk = best(scores_BC, k)
            rows_Bk = rows_BC.gather(1, places_Bk).masked_fill(scores_Bk == -torch.inf, 0)
            found = BestItems(questions, users, scores_Bk.numpy(), rows_Bk.numpy())
            enough = (found.rows > 0).sum(1) >= min(k, possible)
            yield found if enough.all() else self._complete(found, ~enough, histories, k, seen, allowed)

    def _candidates(self, users: Any, number: int) -> Int[Tensor, "B C"]:
        """Return catalogue rows in rising order, 0 for none; an item may be there several times."""
        found = []
        states = self.ranker.of_members(users)
        for (_, ranker), groups, some in zip(self.ranker.members, self.lists, states, strict=True):
            for one in groups:
                found.append(one.search(ranker.model.queries(some, one.group), number, self.probes))
            scattered = ranker.model.scattered(some)
            found += [] if scattered is None else [scattered.columns_PX]
        return torch.cat(found, 1).sort(1).values

    def _complete(
        self,
        found: BestItems,
        short_B: np.ndarray,
        histories: Histories,
        k: int,
        seen: Seen,
        allowed: np.ndarray | None,
    ) -> BestItems:
        """Rank the whole catalogue for users for whom too few items were found."""
        size, width = len(short_B), found.rows.shape[1]
        scores_Bk, rows_Bk = np.full((size, k), -np.inf, found.scores.dtype), np.zeros((size, k), np.int64)
        scores_Bk[:, :width], rows_Bk[:, :width] = found.scores, found.rows
        places = np.flatnonzero(short_B)
        chosen = found.questions[places]
        some = histories.prefixes(chosen, histories.lengths[chosen])
        for exact in self.ranker.best_items(some, k, seen, allowed):
            scores_Bk[places[exact.questions]] = exact.scores
            rows_Bk[places[exact.questions]] = exact.rows
        return BestItems(found.questions, found.users, scores_Bk, rows_Bk)


def recall(index: CatalogueIndex, histories: Histories, k: int, exact: Sequence[BestItems]) -> float:
    """Return the share of the exactly best k items that an index finds, over all histories.

    Args:
        index: whose number of probes is measured.
        histories: of at least one item each.
        k: number of best items.
        exact: what the ranker finds for the same histories.
    """
    wanted = np.concatenate([part.rows for part in exact])
    found = np.concatenate([part.rows for part in index.best_items(histories, k, index.ranker.seen)])
    hits = sum(len(np.intersect1d(one[one > 0], other)) for one, other in zip(wanted, found, strict=True))
    return hits / max(1, int(np.count_nonzero(wanted)))


def _padded(histories: Histories, questions: np.ndarray) -> Int[Tensor, "B L"]:
    """Return whole histories, 0 after their ends."""
    rows_BL = np.zeros((len(questions), histories.lengths[questions].max()), np.int64)
    for place, question in enumerate(questions):
        rows_BL[place, : histories.lengths[question]] = histories[question]
    return torch.from_numpy(rows_BL)


def _left_out(
    rows_BC: Int[Tensor, "B C"], seen_BL: Int[Tensor, "B L"], allowed_N: Bool[Tensor, " N"] | None
) -> Bool[Tensor, "B C"]:
    """Return which candidates, in rising order, are none, a repetition, seen, or not allowed."""
    left_out_BC = (rows_BC == 0) | (rows_BC[..., None] == seen_BL[:, None]).any(2)
    left_out_BC[:, 1:] |= rows_BC[:, 1:] == rows_BC[:, :-1]
    return left_out_BC if allowed_N is None else left_out_BC | ~allowed_N[rows_BC]
