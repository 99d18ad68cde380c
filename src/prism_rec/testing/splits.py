"""The contract of a split."""

import numpy as np

from prism_rec.data import Histories, Split
from prism_rec.data.histories import IntArray
from prism_rec.testing.checks import SettingsContract

LENGTHS = (9, 3, 5, 4, 12, 6, 3, 20)


class SplitContract(SettingsContract):
    """Tests of one split: subclass it in a test file, name the subclass `Test...` and set `config`.

    The log has eight users with 3 to 20 events each, at times from 0 to 999.

    Attributes:
        config: settings of the split; it should leave questions of both parts.
    """

    def histories(self) -> tuple[Histories, IntArray]:
        """Return histories and the time of each event, rising within a history."""
        random = np.random.default_rng(0)
        histories = Histories.from_lists([random.integers(1, 30, length).tolist() for length in LENGTHS])
        times = [np.sort(random.choice(1000, length, replace=False)) for length in LENGTHS]
        return histories, np.concatenate(times).astype(np.int64)

    def cut(self) -> Split:
        """Return the cuts."""
        split: Split = self.config.cut(*self.histories())
        return split

    def test_it_declares_what_it_needs(self) -> None:
        """The shortest history that it can use, and whether it needs absolute times."""
        assert isinstance(self.config.shortest_history, int)
        assert self.config.shortest_history >= 1
        assert isinstance(self.config.needs_times, bool)

    def test_each_cut_is_in_the_history(self) -> None:
        """One per user; a target has an event before it."""
        split, lengths = self.cut(), self.histories()[0].lengths
        for cuts in (split.train_end, split.validation_end, split.validation_at, split.test_at):
            assert cuts.shape == lengths.shape
        assert (split.train_end >= 0).all()
        assert (split.train_end <= split.validation_end).all()
        assert (split.validation_end <= lengths).all()
        for at in (split.validation_at, split.test_at):
            assert ((at == -1) | ((at > 0) & (at < lengths))).all()

    def test_there_are_questions_of_both_parts(self) -> None:
        """Otherwise no dataset can be made."""
        counts = self.cut().counts()
        assert counts["training_interactions"]
        assert counts["validation_queries"]
        assert counts["test_queries"]

    def test_each_target_is_in_its_part(self) -> None:
        """So no target is in training, and validation comes before test."""
        split = self.cut()
        validation, test = split.validation_at >= 0, split.test_at >= 0
        assert (split.validation_at[validation] >= split.train_end[validation]).all()
        assert (split.validation_at[validation] < split.validation_end[validation]).all()
        assert (split.test_at[test] >= split.validation_end[test]).all()

    def test_users_in_another_order_are_cut_the_same(self) -> None:
        """The order of users is irrelevant."""
        histories, times = self.histories()
        order = np.arange(len(histories))[::-1]
        turned = histories.prefixes(order, histories.lengths[order])
        by_event = Histories(np.arange(len(times)), histories.offsets)
        turned_times = times[by_event.prefixes(order, histories.lengths[order]).items]
        split, other = self.cut(), self.config.cut(turned, turned_times)
        for name in ("train_end", "validation_end", "validation_at", "test_at"):
            np.testing.assert_array_equal(getattr(split, name)[order], getattr(other, name))

    def test_a_split_without_times_ignores_them(self) -> None:
        """If it does not need absolute times, other times in the same order give the same cuts."""
        if self.config.needs_times:
            return
        histories, times = self.histories()
        split, other = self.cut(), self.config.cut(histories, times * 7 + 3)
        for name in ("train_end", "validation_end", "validation_at", "test_at"):
            np.testing.assert_array_equal(getattr(split, name), getattr(other, name))
