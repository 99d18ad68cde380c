import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.batches import BatchPlan
from prism_rec.data.histories import Histories
from prism_rec.objectives.indirec.intents import Intents
from prism_rec.objectives.indirec.segments import SegmentBatches, Segments


def listed(segments: Segments) -> list[tuple[list[int], int]]:
    """Return each segment's history and target."""
    items, lengths = segments.histories(np.arange(len(segments)))
    return [
        (segment.tolist(), target)
        for segment, target in zip(items.split(lengths.tolist()), segments.targets.tolist(), strict=True)
    ]


def test_they_are_the_published_ones(golden):
    """The release cuts whole sequences and drops the last two items of each piece; training histories lack them."""
    sequences = np.split(
        golden["segments.sequence_flat"], np.cumsum(golden["segments.sequence_lengths"])[:-1]
    )
    published = np.split(golden["segments.result_flat"], np.cumsum(golden["segments.result_lengths"])[:-1])
    users, max_length = golden["segments.result_user"], int(golden["segments.max_length"])
    found = []
    for user, sequence in enumerate(sequences, start=1):
        own = listed(Segments.cut(Histories.from_lists([sequence[:-2]]), max_length))
        found += [(user, *segment) for segment in own]
    expected = [(user, piece[:-3].tolist(), piece[-3]) for user, piece in zip(users, published, strict=True)]
    assert found == expected


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(1, 30), max_size=8), max_size=5), st.integers(1, 6))
def test_every_item_but_the_first_is_a_target_once_after_what_came_before(lists, max_length):
    expected = [
        (items[max(0, at - max_length) : at], items[at]) for items in lists for at in range(1, len(items))
    ]
    assert listed(Segments.cut(Histories.from_lists(lists), max_length)) == expected


def test_an_epoch_has_each_segment_once_beside_a_guide_of_its_intent():
    histories = Histories.from_lists([np.arange(1, 9), np.arange(9, 15), [15]])
    batches = SegmentBatches(Segments.cut(histories, 5), BatchPlan(5, 4, seed=0))
    intents = np.arange(len(batches.segments)) % 3
    batches.intents = Intents(intents, np.arange(len(intents)))
    intent_of = dict(zip(batches.segments.targets.tolist(), intents, strict=True))  # each target occurs once
    seen, guided = [], set()
    for batch in batches.epoch(1):
        size = len(batch.targets_G)
        assert len(batch.lengths_B) == 2 * size
        assert len(batch.items_P) == batch.lengths_B.sum()
        # Here each item is followed by the next number.
        last = batch.items_P[batch.lengths_B.cumsum(0) - 1]
        assert torch.equal(last[:size] + 1, batch.targets_G)
        guides = (last[size:] + 1).tolist()
        assert [intent_of[g] for g in guides] == [intent_of[t] for t in batch.targets_G.tolist()]
        seen += batch.targets_G.tolist()
        guided |= set(zip(batch.targets_G.tolist(), guides, strict=True))
    assert sorted(seen) == sorted(batches.segments.targets.tolist())
    assert len(batches) == 3
    assert any(target != guide for target, guide in guided)


def test_an_epoch_can_be_had_again_and_another_differs():
    batches = SegmentBatches(
        Segments.cut(Histories.from_lists([np.arange(1, 40)]), 5), BatchPlan(5, 8, seed=3)
    )
    one, again, other = (
        torch.cat([batch.targets_G for batch in batches.epoch(n)]).tolist() for n in (1, 1, 2)
    )
    assert one == again
    assert one != other
    assert sorted(one) == sorted(other)


def test_the_segments_of_a_capped_epoch_guide_each_other():
    segments = Segments.cut(Histories.from_lists([np.arange(1, 41)]), 5)
    batches = SegmentBatches(segments, BatchPlan(5, 4, seed=3, max_targets=10))
    for epoch in (1, 2):
        chosen = batches.chosen(epoch)
        intents = np.arange(10) % 3
        batches.intents = Intents(intents, chosen)
        intent_of = dict(zip(segments.targets[chosen].tolist(), intents, strict=True))
        for batch in batches.epoch(epoch):
            size = len(batch.targets_G)
            last = batch.items_P[batch.lengths_B.cumsum(0) - 1]
            guides = (last[size:] + 1).tolist()  # here each item is followed by the next number
            assert [intent_of[g] for g in guides] == [intent_of[t] for t in batch.targets_G.tolist()]


def test_a_capped_epoch_has_so_many_segments_anew_each_time():
    segments = Segments.cut(Histories.from_lists([np.arange(1, 41)]), 5)
    batches = SegmentBatches(segments, BatchPlan(5, 4, seed=3, max_targets=10))
    epochs = [
        frozenset(torch.cat([batch.targets_G for batch in batches.epoch(n)]).tolist()) for n in range(1, 31)
    ]
    assert {len(targets) for targets in epochs} == {10}
    assert len(set(epochs)) == 30
    assert frozenset().union(*epochs) == set(segments.targets.tolist())
    assert len(batches) == 3
    assert batches.share == 10 / 39
    assert SegmentBatches(segments, BatchPlan(5, 4, seed=3, max_targets=39)).share == 1


@given(size=st.integers(2, 30), batch_size=st.integers(1, 8), world=st.integers(1, 4))
@settings(max_examples=50)
def test_ranks_share_segments_and_guides_of_a_single_process(size, batch_size, world):
    segments = Segments.cut(Histories.from_lists([np.arange(1, size + 1)]), 5)

    def pairs_of(rank: int, world: int) -> list[set[tuple[int, int]]]:
        """Return each batch's targets, each with the last item of its guide."""
        batches = SegmentBatches(segments, BatchPlan(5, batch_size, seed=1, rank=rank, world=world))
        batches.intents = Intents(np.arange(len(segments)) % 2, np.arange(len(segments)))
        return [
            set(zip(batch.targets_G.tolist(), last[len(last) // 2 :], strict=True))
            for batch in batches.epoch(1)
            for last in [batch.items_P[batch.lengths_B.cumsum(0) - 1].tolist()]
        ]

    ranks = [pairs_of(rank, world) for rank in range(world)]
    assert [set.union(*parts) for parts in zip(*ranks, strict=True)] == pairs_of(0, 1)
