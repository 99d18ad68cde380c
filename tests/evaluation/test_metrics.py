import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from prism_rec.errors import InputError
from prism_rec.evaluation.metrics import (
    CUTOFFS,
    METRICS,
    coverage,
    exposure,
    gini,
    mrr,
    ndcg,
    novelty,
    recall,
    summarise,
)

quick = settings(max_examples=50)
some_ranks = arrays.arrays(np.int64, st.integers(1, 30), elements=st.integers(1, 120))
some_exposures = arrays.arrays(np.int64, st.integers(1, 30), elements=st.integers(0, 9)).filter(np.any)
cutoffs = st.integers(1, 60)


def random_lists(queries: int, number_of_items: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return whole rankings of items 1..N and the rank of a random target in each."""
    random = np.random.default_rng(seed)
    lists = random.permuted(np.tile(np.arange(1, number_of_items + 1), (queries, 1)), axis=1)
    return lists, random.integers(1, number_of_items + 1, queries)


def test_hand_cases():
    ranks = np.array([1, 2, 5, 6, 50, 51])
    np.testing.assert_array_equal(recall(ranks, 5), [1, 1, 1, 0, 0, 0])
    np.testing.assert_allclose(
        ndcg(ranks, 5), [1, math.log(2) / math.log(3), math.log(2) / math.log(6), 0, 0, 0]
    )
    np.testing.assert_allclose(mrr(ranks, 5), [1, 1 / 2, 1 / 5, 0, 0, 0])
    np.testing.assert_allclose(mrr(ranks, 50), [1, 1 / 2, 1 / 5, 1 / 6, 1 / 50, 0])


@pytest.mark.parametrize("k", [5, 10, 20])
def test_equals_the_published_numbers(golden, k):
    is_target = golden["metrics.ranked_items"] == golden["metrics.target"]
    ranks = np.where(is_target.any(axis=1), is_target.argmax(axis=1) + 1, is_target.shape[1] + 1)
    assert recall(ranks, k).mean() == pytest.approx(float(golden[f"metrics.recall@{k}"]), abs=1e-10)
    assert ndcg(ranks, k).mean() == pytest.approx(float(golden[f"metrics.ndcg@{k}"]), abs=1e-10)


def test_equals_ir_measures():
    ir_measures = pytest.importorskip("ir_measures")
    lists, ranks = random_lists(queries=40, number_of_items=60, seed=3)
    relevant = [ir_measures.Qrel(str(q), str(lists[q, rank - 1]), 1) for q, rank in enumerate(ranks)]
    ranked = [
        ir_measures.ScoredDoc(str(q), str(item), -float(place))
        for q, row in enumerate(lists)
        for place, item in enumerate(row)
    ]
    theirs = {"recall": ir_measures.R, "ndcg": ir_measures.nDCG, "mrr": ir_measures.RR}
    for name, metric in METRICS.items():
        for k in CUTOFFS:
            per_query = {
                m.query_id: m.value for m in ir_measures.iter_calc([theirs[name] @ k], relevant, ranked)
            }
            expected = [per_query[str(q)] for q in range(len(ranks))]
            np.testing.assert_allclose(metric(ranks, k), expected, rtol=0, atol=1e-10)


@quick
@given(some_ranks, cutoffs)
def test_metrics_are_bounded_and_grow_with_k(ranks, k):
    for metric in METRICS.values():
        values = metric(ranks, k)
        assert ((values >= 0) & (values <= 1)).all()
        assert (metric(ranks, k + 1) >= values).all()
    assert (mrr(ranks, k) <= ndcg(ranks, k)).all()
    assert (ndcg(ranks, k) <= recall(ranks, k)).all()


@quick
@given(some_ranks, cutoffs, st.integers(1, 40))
def test_a_worse_rank_never_improves_a_metric(ranks, k, lost):
    for metric in METRICS.values():
        assert (metric(ranks + lost, k) <= metric(ranks, k)).all()


@quick
@given(st.integers(1, 12), st.integers(3, 15), st.randoms(use_true_random=False))
def test_the_order_of_queries_changes_nothing(queries, number_of_items, random):
    top, ranks = random_lists(queries, number_of_items)
    popularity = np.arange(number_of_items + 1)
    order = np.array(random.sample(range(queries), queries))
    before = summarise(ranks, top, popularity, number_of_items, ks=(1, 3))
    assert summarise(ranks[order], top[order], popularity, number_of_items, ks=(1, 3)) == pytest.approx(
        before
    )


def test_exposure_counts_the_first_k_places_and_no_padding():
    top = np.array([[1, 2, 3], [1, 4, 0], [1, 0, 0]])
    np.testing.assert_array_equal(exposure(top, 3, 5), [3, 1, 1, 1, 0])
    np.testing.assert_array_equal(exposure(top, 1, 5), [3, 0, 0, 0, 0])
    with pytest.raises(ValueError, match="3 places; the first 4"):
        exposure(top[:2], 4, 5)


def test_coverage_counts_items_that_anybody_gets():
    assert coverage(np.array([3, 0, 1, 0])) == 0.5


def test_gini_of_equal_and_of_one_sided_exposure():
    assert gini(np.array([7, 7, 7, 7])) == pytest.approx(0)
    assert gini(np.array([0, 9, 0, 0])) == pytest.approx(3 / 4)


@quick
@given(some_exposures)
def test_gini_is_half_the_relative_mean_difference(exposures):
    differences = np.abs(exposures[:, None] - exposures[None, :])
    assert gini(exposures) == pytest.approx(differences.mean() / (2 * exposures.mean()))


def test_novelty_is_bits_of_the_training_share():
    popularity = np.array([4, 2, 1, 1])
    assert novelty(np.array([1, 0, 0, 0]), popularity) == pytest.approx(1)
    assert novelty(np.array([1, 1, 2, 0]), popularity) == pytest.approx((1 + 2 + 3 + 3) / 4)


def test_novelty_of_an_unseen_item_is_finite_and_that_of_one_seen_once():
    popularity = np.array([6, 2, 0, 0])
    assert novelty(np.array([0, 0, 5, 1]), popularity) == pytest.approx(3)
    assert novelty(np.array([1, 1]), np.array([0, 0])) == 0


def test_summarise_names_every_metric_at_every_cutoff():
    top, ranks = random_lists(queries=20, number_of_items=50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        summary = summarise(ranks, top, np.ones(51, dtype=np.int64), 50)
    names = ("recall", "ndcg", "mrr", "coverage", "gini", "novelty")
    assert set(summary) == {f"{name}@{k}" for name in names for k in (5, 10, 20, 50)}
    assert summary["recall@50"] == 1
    assert summary["recall@10"] == np.mean(ranks <= 10)
    assert summary["coverage@50"] == 1
    assert summary["gini@50"] == pytest.approx(0)
    assert summary["novelty@50"] == pytest.approx(math.log2(50))


def test_summarise_ignores_the_popularity_of_padding():
    top, ranks = random_lists(queries=4, number_of_items=8)
    clean, dirty = np.ones(9, dtype=np.int64), np.ones(9, dtype=np.int64)
    dirty[0] = 1000
    assert summarise(ranks, top, clean, 8, ks=(5,)) == summarise(ranks, top, dirty, 8, ks=(5,))


def test_summarise_refuses_no_queries_and_misaligned_popularity():
    top, ranks = random_lists(queries=4, number_of_items=8)
    with pytest.raises(InputError, match="no query"):
        summarise(ranks[:0], top[:0], np.ones(9, dtype=np.int64), 8)
    with pytest.raises(ValueError, match="8 rows; 9 are needed"):
        summarise(ranks, top, np.ones(8, dtype=np.int64), 8)
