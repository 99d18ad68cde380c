import numpy as np
import pytest
from scipy import stats

from prism_rec.evaluation import resampling
from prism_rec.evaluation.intervals import estimate, estimate_metrics
from prism_rec.evaluation.metrics import ndcg
from prism_rec.evaluation.resampling import bootstrap_means, sign_flip_means


@pytest.mark.parametrize("distinct", [4, 1000])  # by count of each value, and by user
def test_resampled_means_are_distributed_as_if_users_were_drawn(distinct):
    random = np.random.default_rng(1)
    values = random.integers(0, distinct, 300) / distinct
    ours = bootstrap_means(values, 4000, seed=2)
    by_user = values[random.integers(0, 300, (4000, 300))].mean(axis=1)
    assert ours.std() == pytest.approx(values.std() / np.sqrt(300), rel=0.05)
    assert stats.ks_2samp(ours, by_user).pvalue > 0.001


def test_flipped_means_are_distributed_as_if_signs_were_drawn():
    random = np.random.default_rng(3)
    differences = random.integers(-2, 3, 60) / 2 + 0.25
    ours = sign_flip_means(differences, 4000, seed=4)
    by_user = (random.choice([-1, 1], (4000, 60)) * differences).mean(axis=1)
    assert ours.std() == pytest.approx(np.sqrt((differences**2).sum()) / 60, rel=0.05)
    assert stats.ks_2samp(ours, by_user).pvalue > 0.001


@pytest.mark.parametrize("means", [bootstrap_means, sign_flip_means])
def test_chunks_keep_the_number_of_means_and_their_spread(means, monkeypatch):
    values = np.random.default_rng(5).random(40)
    whole = means(values, 1000, seed=6)
    monkeypatch.setattr(resampling, "_NUMBERS_AT_ONCE", 7 * 40)
    chunked = means(values, 1000, seed=6)
    assert chunked.shape == (1000,)
    assert len(set(chunked)) > 900
    assert chunked.std() == pytest.approx(whole.std(), rel=0.15)


def test_interval_covers_the_true_mean_as_often_as_it_says():
    random = np.random.default_rng(7)
    covered = 0
    for trial in range(300):
        result = estimate((random.random(200) < 0.3).astype(float), level=0.9, resamples=400, seed=trial)
        covered += result.low <= 0.3 <= result.high
    assert 0.85 <= covered / 300 <= 0.95


def test_interval_follows_its_level_and_seed():
    values = np.random.default_rng(8).random(50)
    narrow, wide = estimate(values, level=0.5), estimate(values, level=0.99)
    assert wide.low < narrow.low < values.mean() < narrow.high < wide.high
    assert estimate(values, seed=1) == estimate(values, seed=1) != estimate(values, seed=2)


def test_equal_values_have_no_width_and_no_values_are_refused():
    result = estimate(np.full(9, 0.25))
    assert (result.mean, result.low, result.high, result.queries) == pytest.approx((0.25, 0.25, 0.25, 9))
    with pytest.raises(ValueError, match="no values"):
        estimate(np.empty(0))


def test_estimates_of_every_metric():
    ranks = np.arange(1, 101)
    estimates = estimate_metrics(ranks, (5, 10))
    assert set(estimates) == {"recall@5", "ndcg@5", "mrr@5", "recall@10", "ndcg@10", "mrr@10"}
    assert estimates["recall@10"].mean == pytest.approx(0.1)
    assert estimates["recall@10"].low < 0.1 < estimates["recall@10"].high
    assert estimates["recall@10"].queries == 100
    assert estimates["ndcg@10"] == estimate(ndcg(ranks, 10))  # with the same seed
    assert estimates["ndcg@10"] != estimate(ndcg(ranks, 10), seed=1)


def test_a_seed_gives_the_same_means_as_ever():
    """By the counts of few values, and by drawing users with many."""
    assert bootstrap_means(np.repeat([0.0, 1.0], [300, 100]), 3, seed=0).tolist() == [0.23, 0.2525, 0.2525]
    # Two values are few if there are more than a hundred users.
    assert bootstrap_means(np.repeat([0.0, 1.0], [60, 40]), 3, seed=0).tolist() == [0.43, 0.49, 0.42]
    by_counts = bootstrap_means(np.repeat([0.0, 1.0], [60, 41]), 3, seed=0)
    assert by_counts.tolist() == [42 / 101, 48 / 101, 45 / 101]
    many = np.arange(8) / 8
    assert bootstrap_means(many, 3, seed=0).tolist() == [0.296875, 0.609375, 0.515625]
    assert sign_flip_means(many, 3, seed=0).tolist() == [0.3125, -0.1875, -0.125]
