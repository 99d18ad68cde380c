import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from prism_rec.evaluation.metrics import ndcg
from prism_rec.evaluation.significance import (
    benjamini_hochberg,
    holm,
    permutation_test,
    t_test,
)

quick = settings(max_examples=50)
every_test = pytest.mark.parametrize("test", [permutation_test, t_test])
p_values = arrays.arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1))


def null_p_values(run, trials=300, users=80):
    """Return p-values for two equally good models whose per-user values agree in part."""
    random = np.random.default_rng(11)
    found = []
    for trial in range(trials):
        ranks = random.integers(1, 30, (2, users))
        ranks[1, : users // 2] = ranks[0, : users // 2]
        found.append(run(ndcg(ranks[0], 20), ndcg(ranks[1], 20), trial))
    return np.array(found)


def test_p_values_are_uniform_without_a_difference():
    found = null_p_values(
        lambda first, second, trial: permutation_test(first, second, seed=trial, permutations=400)
    )
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert 0.02 <= np.mean(found <= 0.05) <= 0.09


def test_a_real_difference_is_found_and_no_difference_is_not():
    random = np.random.default_rng(12)
    first = random.random(400)
    assert permutation_test(first + random.normal(0.02, 0.1, 400), first) < 0.01
    assert permutation_test(first, first) == 1


@every_test
def test_exchanging_the_models_changes_nothing(test):
    first, second = np.random.default_rng(13).random((2, 12))
    assert test(first, second) == pytest.approx(test(second, first), abs=0.02)


@every_test
def test_unpaired_and_too_few_values_are_refused(test):
    with pytest.raises((ValueError, TypeError)):  # TypeError where the shapes in the signature are checked
        test(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match="at least"):
        test(np.zeros(0), np.zeros(0))


def test_permutation_p_value_is_that_of_all_assignments():
    differences = np.array([0.5, 0.25, 0.25, -0.125])
    signs = np.stack(np.meshgrid(*[[-1, 1]] * 4), axis=-1).reshape(-1, 4)
    exact = np.mean(np.abs(signs @ differences) >= differences.sum())
    assert permutation_test(differences, np.zeros(4), permutations=20_000, seed=1) == pytest.approx(
        exact, abs=0.01
    )


def test_smallest_p_value_counts_the_observed_assignment():
    assert permutation_test(np.ones(60), np.zeros(60), permutations=99) == 1 / 100
    assert permutation_test(np.ones(60), np.zeros(60)) == 1 / 10_001


def test_permutations_follow_their_seed():
    first, second = np.random.default_rng(14).random((2, 50))
    assert permutation_test(first, second, seed=1) == permutation_test(first, second, seed=1)
    assert len({permutation_test(first, second, seed=seed) for seed in range(4)}) > 1


def test_the_test_over_seeds_equals_scipy():
    first, second = np.array([0.31, 0.33, 0.30, 0.35, 0.32]), np.array([0.30, 0.30, 0.31, 0.31, 0.27])
    assert t_test(first, second) == pytest.approx(stats.ttest_rel(first, second).pvalue)


def test_seeds_that_all_differ_alike_show_nothing():
    first = np.array([0.1, 0.2, 0.3])
    assert t_test(first, first) == 1
    assert t_test(first + 0.1, first) == 1


def test_corrections_by_hand():
    found = np.array([0.04, 0.01, 0.03, 0.005])
    np.testing.assert_allclose(holm(found), [0.06, 0.03, 0.06, 0.02])
    np.testing.assert_allclose(benjamini_hochberg(found), [0.04, 0.02, 0.04, 0.02])


def test_corrections_keep_one_test_and_none():
    for correct in (holm, benjamini_hochberg):
        np.testing.assert_array_equal(correct(np.array([0.2])), [0.2])
        assert correct(np.empty(0)).shape == (0,)


@quick
@given(p_values, st.randoms(use_true_random=False))
def test_corrections_keep_order_and_bounds(found, random):
    shuffled = np.array(random.sample(range(len(found)), len(found)))
    for correct in (holm, benjamini_hochberg):
        adjusted = correct(found)
        assert (adjusted >= found - 1e-15).all()
        assert (adjusted <= 1).all()
        assert (np.diff(adjusted[np.argsort(found)]) >= 0).all()
        np.testing.assert_allclose(correct(found[shuffled]), adjusted[shuffled])
    assert (benjamini_hochberg(found) <= holm(found) + 1e-15).all()
