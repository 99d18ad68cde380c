import torch
from hypothesis import given
from hypothesis import strategies as st

from prism_rec.nn.packing import GROWTH, Packing

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=12)


def number(lengths: list[int]) -> tuple[Packing, torch.Tensor]:
    """Return a packing and the numbers of its places, from 1, as rows of one."""
    return Packing(torch.tensor(lengths)), torch.arange(1.0, sum(lengths) + 1)[:, None]


@given(LENGTHS)
def test_every_place_stands_in_one_block_where_its_row_has_it(lengths):
    packing, packed = number(lengths)
    rows = packed.split(lengths)
    for (block, of_rows), which in zip(packing.blocks(packed), packing.rows, strict=True):
        assert of_rows.tolist() == [lengths[row] for row in which]
        assert max(of_rows) <= max(GROWTH * min(of_rows), min(of_rows))
        for cells, row in zip(block, which, strict=True):
            assert torch.equal(cells[: lengths[row]], rows[row])
            assert (cells[lengths[row] :] == rows[row][-1]).all()
    assert sorted(torch.cat(packing.rows).tolist()) == list(range(len(lengths)))


@given(LENGTHS)
def test_what_is_done_to_places_and_rows_comes_back_in_order(lengths):
    packing, packed = number(lengths)
    assert torch.equal(packing.each_place(lambda block, _: 2 * block, packed), 2 * packed)
    ends = torch.tensor(lengths).cumsum(0)[:, None].float()
    assert torch.equal(packing.last(packed), ends)
    last = packing.each_row(lambda block, of_rows: block[torch.arange(len(block)), of_rows - 1], packed)
    assert torch.equal(last, ends)
    assert packing.owners().bincount().tolist() == lengths


def test_padding_gets_no_gradient_of_its_own():
    packing, packed = number([3, 4, 4])
    packed.requires_grad_()
    packing.each_place(lambda block, _: block.cumsum(1), packed).sum().backward()
    assert packed.grad.flatten().tolist() == [3, 2, 1, 4, 3, 2, 1, 4, 3, 2, 1]


def test_the_example_of_the_docstring():
    packing = Packing(torch.tensor([3, 1, 1]))
    assert [rows.tolist() for rows in packing.rows] == [[1, 2], [0]]
    assert [tuple(shape) for shape in packing.shapes] == [(2, 1), (1, 3)]
    assert packing.place_C.tolist() == [3, 4, 0, 1, 2]
    assert packing.cell_P.tolist() == [2, 3, 4, 0, 1]
