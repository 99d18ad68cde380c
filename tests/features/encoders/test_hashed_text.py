import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.features.encoders.hashed_text import HashedTextEncoder
from prism_rec.features.encoders.ngrams import count_ngrams

FILMS = [
    "Space war among robots and rebels",
    "Rebels fight a space war",
    "A quiet romance in Paris",
    "Romance and jazz in Paris at night",
    "Robots take over a space station",
    "A baker in Lyon finds romance",
]


def test_texts_of_similar_words_lie_closer_than_others():
    vectors = HashedTextEncoder(width=3).encode(FILMS).vectors
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > 0.5 > likeness[0, 2]
    assert likeness[2, 3] > 0.5 > likeness[3, 4]


def test_spelling_variants_share_character_ngrams():
    vectors = HashedTextEncoder(width=16).encode(["moisturizer", "moisturizing", "shampoo"]).vectors
    assert vectors[0] @ vectors[1] > 0.2 > vectors[0] @ vectors[2]


def test_text_without_letter_or_digit_is_absent():
    vectors = HashedTextEncoder(width=4).encode(["", "red", " \n!?", "blue"]).vectors
    assert (np.abs(vectors).sum(axis=1) > 0).tolist() == [False, True, False, True]


@pytest.mark.parametrize("texts", [[], ["", ""]])
def test_nothing_to_learn_from_gives_zeros(texts):
    vectors = HashedTextEncoder(width=4).encode(texts).vectors
    assert vectors.shape == (len(texts), 4)
    assert not vectors.any()


def test_new_text_is_encoded_on_the_learned_axes():
    fitted = HashedTextEncoder(width=4).fit(FILMS)
    np.testing.assert_allclose(
        fitted.encode(FILMS[2:4]).vectors, HashedTextEncoder(width=4).encode(FILMS).vectors[2:4], atol=1e-6
    )
    assert not fitted.encode(["жук"]).vectors.any()


def test_fingerprint_tells_the_collection_and_the_width():
    prints = {
        HashedTextEncoder(width=width).fit(texts).fingerprint
        for width in (4, 8)
        for texts in (FILMS, FILMS[:-1], FILMS[::-1])
    }
    assert len(prints) == 4


def test_axes_are_learned_from_a_sample_when_there_are_many():
    sampled = HashedTextEncoder(width=4, fit_on=3).encode(FILMS).vectors
    assert np.abs(sampled - HashedTextEncoder(width=4).encode(FILMS).vectors).max() > 1e-3


@settings(max_examples=30)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=12), st.randoms())
@pytest.mark.slow
def test_rows_are_unit_or_zero_and_order_changes_nothing(texts, random):
    order = random.sample(range(len(texts)), len(texts))
    vectors = HashedTextEncoder(width=32).encode(texts).vectors
    norms = np.linalg.norm(vectors, axis=1)
    assert vectors.dtype == np.float32
    assert np.all((norms == 0) | (np.abs(norms - 1) < 1e-5))
    np.testing.assert_array_equal(vectors, HashedTextEncoder(width=32).encode(texts).vectors)
    np.testing.assert_allclose(
        HashedTextEncoder(width=32).encode([texts[i] for i in order]).vectors, vectors[order], atol=1e-5
    )


def test_ngrams_are_counted_by_hand():
    words, characters = count_ngrams(["ab AB", "c", "ab"], 1000)
    assert words.sum(axis=1).tolist() == [3, 1, 1]  # ab, ab, "ab ab"; c; ab
    assert words.count_nonzero(axis=1).tolist() == [2, 1, 1]
    assert characters.sum(axis=1).tolist() == [6, 1, 3]  # <ab ab> <ab>, twice; <c>; <ab ab> <ab>
