import pytest

from prism_rec.features.progress import progress_bar


def test_shows_how_much_is_done_on_the_error_stream(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("pictures") as tell:
        for done in range(4):
            tell(done, 3)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pictures")
    assert "3/3" in err


@pytest.mark.parametrize(("shown", "counts"), [(True, []), (False, [(1, 3)])])
def test_shows_nothing_before_the_first_count_or_where_it_is_not_wanted(
    capsys: pytest.CaptureFixture[str], shown: bool, counts: list[tuple[int, int]]
) -> None:
    with progress_bar("pictures", shown) as tell:
        for done, total in counts:
            tell(done, total)
    assert capsys.readouterr() == ("", "")
