"""The command `recommend`: one user or history, many from files, new items, and where the items go."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from prism_rec import Dataset, RunConfig
from prism_rec.cli.app import run
from prism_rec.cli.common import items_of
from prism_rec.errors import InputError
from prism_rec.features.encoders.settings import HashedText
from prism_rec.recommend.recommender import load
from prism_rec.runs.train import train
from prism_rec.stages.embed import Embed, embed
from recommend.test_recommender import ITEMS, WIDTH, make_run

HISTORIES = {"a": ["item-01", "item-02"], "b": ["item-03"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "run"
    make_run(path)
    return path


def printed(capsys: pytest.CaptureFixture[str], *words: object) -> pl.DataFrame:
    run(["recommend", *map(str, words), "--json", "--device", "cpu"])
    return pl.DataFrame(json.loads(capsys.readouterr().out))


def same(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    columns = ["user_id", "item_id", "rank"]
    return one.select(columns).equals(other.select(columns))


def test_users_from_a_file_of_lines_or_a_table(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recommender = load(folder, "cpu")
    users = recommender.dataset.users["user_id"][:3].to_list()
    (tmp_path / "users.txt").write_text("\n".join(users) + "\n\n")
    pl.DataFrame({"age": [1, 2, 3], "user_id": users}).write_csv(tmp_path / "users.csv")
    expected = recommender.recommend(users=users, k=4)
    for name in ("users.txt", "users.csv"):
        assert same(printed(capsys, folder, "--users", tmp_path / name, "--k", 4), expected)


@pytest.mark.parametrize("name", ["h.parquet", "h.jsonl", "h.csv"])
def test_histories_from_a_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    table = pl.DataFrame({"user_id": list(HISTORIES), "history": list(HISTORIES.values())})
    if name == "h.parquet":
        table.write_parquet(tmp_path / name)
    elif name == "h.jsonl":
        table.write_ndjson(tmp_path / name)
    else:
        table.with_columns(pl.col("history").list.join(", ")).write_csv(tmp_path / name)
    expected = load(folder, "cpu").recommend(HISTORIES, k=4)
    assert same(printed(capsys, folder, "--histories", tmp_path / name, "--k", 4), expected)


def test_candidates_and_seen_items(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "candidates.txt").write_text("item-01\nitem-05\nitem-06\n")
    words = [folder, "--history", "item-01", "--candidates", tmp_path / "candidates.txt"]
    assert set(printed(capsys, *words)["item_id"]) == {"item-05", "item-06"}
    assert set(printed(capsys, *words, "--seen", "keep")["item_id"]) == {"item-01", "item-05", "item-06"}


def test_everybody_with_conditions(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gone.txt").write_text("item-05\n")
    words = [folder, "--all-users", "--exclude", tmp_path / "gone.txt", "--where", "title~item-0", "--k", 3]
    recommender = load(folder, "cpu")
    users = recommender.dataset.users["user_id"]
    where = {"title": {"contains": "item-0"}}
    assert same(
        printed(capsys, *words), recommender.recommend(users=users, k=3, exclude=["item-05"], where=where)
    )


@pytest.mark.parametrize(("name", "content"), [("gone.txt", ""), ("gone.csv", ""), ("gone.csv", "item_id\n")])
def test_an_empty_file_excludes_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)
    words = [folder, "--history", "item-01", "--k", 20]
    assert same(printed(capsys, *words, "--exclude", tmp_path / name), printed(capsys, *words))
    with pytest.raises(InputError, match=name):
        run(["recommend", *map(str, words), "--candidates", str(tmp_path / name)])


def test_users_that_are_not_in_the_run_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = [(f"u{user}", f"i{item}", item) for user in range(6) for item in range(4)] + [("few", "i0", 1)]
    items = pl.DataFrame({"item_id": ["i0", "i1"], "title": ["A", "B"]})
    dataset = Dataset.from_frame(
        pl.DataFrame(log, schema=["user_id", "item_id", "timestamp"], orient="row"), items
    )
    model = {"width": 4, "max_length": 4, "fusion": {"kind": "id"}}
    train(RunConfig.parse({"model": model, "train": {"epochs": 1}}), tmp_path / "run", data=dataset)
    run(["recommend", str(tmp_path / "run"), "--all-users", "--k", "1", "--json"])
    said = capsys.readouterr().err
    assert "note: 1 users of the log are not in the run (fewer than 3 events are left of theirs)" in said
    assert "give them with --users" in said


def test_users_whom_a_refit_run_lacks_are_not_said_to_have_fewer_than_one_event(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = [(f"u{user}", f"i{item}", item) for user in range(6) for item in range(4)] + [("few", "i0", 1)]
    dataset = Dataset.from_frame(
        pl.DataFrame(log, schema=["user_id", "item_id", "timestamp"], orient="row"), None
    )
    model = {"width": 4, "max_length": 4, "fusion": {"kind": "id"}}
    train(RunConfig.parse({"model": model, "train": {"epochs": 1}}), tmp_path / "run", data=dataset)
    run(["refit", str(tmp_path / "run"), "--out", str(tmp_path / "all")])
    said = " ".join(capsys.readouterr().err.split())
    assert "1 users had too few events for the split of the data" in said
    assert "training on everything for 1 epoch, because epoch 1 of 1" in said
    run(["recommend", str(tmp_path / "all"), "--all-users", "--k", "1", "--json"])
    said = capsys.readouterr().err
    assert "note: 1 users of the log are not in the run (no event of theirs is in its data)" in said


def test_an_unknown_user_gets_popular_items(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "users.txt").write_text("nobody\nu1\n")
    out = tmp_path / "out.csv"
    run(["recommend", str(folder), "--users", str(tmp_path / "users.txt"), "--k", "2", "--out", str(out)])
    said = capsys.readouterr()
    assert said.out == f"wrote {out}: 4 items for 2 users, 1 of them by popularity\n"
    assert "note: 1 of 2 users are unknown, first 'nobody'" in said.err
    assert pl.read_csv(out)["basis"].to_list() == ["popularity"] * 2 + ["model"] * 2
    run(["recommend", str(folder), "--user", "nobody", "--k", "2", "--quiet"])
    assert "popular" in capsys.readouterr().out


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_the_items_are_written_to_a_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    out = tmp_path / f"items{ending}"
    run(["recommend", str(folder), "--history", "item-01", "--k", "3", "--out", str(out), "--device", "cpu"])
    assert capsys.readouterr().out == f"wrote {out}: 3 items for 1 users\n"
    read = {".parquet": pl.read_parquet, ".csv": pl.read_csv, ".jsonl": pl.read_ndjson}[ending]
    written, expected = read(out), load(folder, "cpu").recommend([["item-01"]], k=3)
    assert written.columns == expected.columns
    assert written["item_id"].to_list() == expected["item_id"].to_list()
    np.testing.assert_allclose(written["score"], expected["score"], rtol=1e-5)


def test_many_users_are_one_table(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pl.DataFrame({"user_id": ["ann", "bob"], "history": [["item-01"], ["item-02"]]}).write_parquet(
        tmp_path / "h.parquet"
    )
    run(["recommend", str(folder), "--histories", str(tmp_path / "h.parquet"), "--k", "2"])
    shown = capsys.readouterr().out
    assert shown.count("ann") == shown.count("bob") == 1
    assert "history:" not in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give exactly one of --user, --history, --users, --histories, --all-users"),
        (["--user", "u", "--history", "a"], "give exactly one of"),
        (["--history", "item-01", "--out", "x.txt"], "unknown ending; use .parquet, .csv, .jsonl"),
        (["--history", "item-01", "--features", "text=x.npy"], "give both"),
        (["--history", "item-01", "--k", "0"], "--k"),
        (["--users", "nothing.txt"], "nothing.txt"),
    ],
)
def test_mistakes_are_told_in_one_line(folder: Path, words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        run(["recommend", str(folder), *words])
    assert "\n" not in str(caught.value)


def test_files_without_what_is_needed_are_refused(folder: Path, tmp_path: Path) -> None:
    pl.DataFrame({"user": ["a"]}).write_csv(tmp_path / "users.csv")
    with pytest.raises(InputError, match="has no column user_id, only user"):
        run(["recommend", str(folder), "--users", str(tmp_path / "users.csv")])
    twice = pl.DataFrame({"user_id": ["a", "a"], "history": [["item-01"], ["item-02"]]})
    twice.write_parquet(tmp_path / "twice.parquet")
    with pytest.raises(InputError, match="has a user_id more than once"):
        run(["recommend", str(folder), "--histories", str(tmp_path / "twice.parquet")])
    pl.DataFrame({"history": [1]}).write_parquet(tmp_path / "numbers.parquet")
    with pytest.raises(InputError, match="column history has no lists"):
        run(["recommend", str(folder), "--histories", str(tmp_path / "numbers.parquet")])


@pytest.mark.slow
def test_new_items_from_files(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pl.DataFrame({"item_id": ["007"], "title": ["Late arrival"]}).write_csv(tmp_path / "new.csv")
    np.save(tmp_path / "text.npy", np.ones((1, WIDTH)))
    (tmp_path / "text.ids.txt").write_text("007\n")
    words = ["recommend", str(folder), "--history", "item-01,item-02", "--k", str(ITEMS + 8)]
    new = ["--new-items", str(tmp_path / "new.csv"), "--features", f"text={tmp_path / 'text.npy'}"]
    run([*words, *new, "--json"])
    out, err = capsys.readouterr()
    (late,) = [row for row in json.loads(out) if row["item_id"] == "007"]
    assert late["id"] == pytest.approx(float(load(folder).ranker.model.items.unknown_id))
    assert late["unique:text"] != 0
    assert "note:" not in err
    run([*words, *new])
    assert "Late arrival [007]" in capsys.readouterr().out
    run([*words, *new[:2], "--json"])
    out, err = capsys.readouterr()
    assert "note: 1 of 1 new items have no vectors, first 007" in err
    assert json.loads(out)
    run([*words, *new[:2], "--json", "--quiet"])
    assert capsys.readouterr().err == ""


def test_vectors_of_an_encoder_that_learned_from_other_texts_are_refused(
    folder: Path, tmp_path: Path
) -> None:
    pl.DataFrame({"item_id": ["007"], "title": ["Late arrival"]}).write_csv(tmp_path / "new.csv")
    made = tmp_path / "text"
    embed(Embed(items=tmp_path / "new.csv", encoder=HashedText()), made)
    words = ["recommend", str(folder), "--history", "item-01", "--new-items", str(tmp_path / "new.csv")]
    with pytest.raises(InputError, match="not known from which texts"):
        run([*words, "--features", f"text={made}"])


def test_commas_that_may_be_of_an_id_are_refused() -> None:
    known = {"head", "shoulders", "head,shoulders"}
    recommender = SimpleNamespace(unknown_items=lambda items: [item for item in items if item not in known])
    with pytest.raises(InputError, match="'head,shoulders' is one item and a list of 2; put every id"):
        items_of("head,shoulders", recommender)  # type: ignore[arg-type]
    assert items_of('"head,shoulders",head', recommender) == ["head,shoulders", "head"]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["exclude", "candidates", "users", "histories", "new-items"])
def test_a_file_that_an_option_names_is_not_replaced(folder: Path, tmp_path: Path, name: str) -> None:
    path, link = tmp_path / "given.csv", tmp_path / "link.csv"
    path.write_text("item_id\n")
    link.symlink_to(path)
    whom = [] if name in ("users", "histories") else ["--user", "u"]
    for out in (path, link):
        with pytest.raises(InputError, match="is an input too; name another file"):
            run(["recommend", str(folder), *whom, f"--{name}", str(path), "--out", str(out), "--replace"])
    assert path.read_text() == "item_id\n"


def test_ids_of_vectors_pictures_and_the_run_are_not_replaced(folder: Path, tmp_path: Path) -> None:
    ids = tmp_path / "ids.csv"
    ids.write_text("007\n")
    words = ["recommend", str(folder), "--user", "u", "--features", f"text={tmp_path / 'v.npy'}:{ids}"]
    for out in (ids, folder / "data" / "items.parquet"):
        before = out.read_bytes()
        with pytest.raises(InputError, match="is (an input too|a part of the input .*); name another file"):
            run([*words, "--out", str(out), "--replace"])
        assert out.read_bytes() == before
    with pytest.raises(InputError, match="is a part of the input"):
        run(
            [
                "recommend",
                str(folder),
                "--user",
                "u",
                "--pictures",
                str(tmp_path),
                "--out",
                str(ids),
                "--replace",
            ]
        )
