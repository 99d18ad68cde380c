"""Several runs as one: weights from validation, scores that add up, one folder for every use."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from command_line import prism_rec
from prism_rec import Dataset, Ensemble, RunConfig, ensemble, evaluate, load
from prism_rec.errors import DamagedError, DataError, FolderError, InputError
from prism_rec.evaluation.metrics import METRICS
from prism_rec.explore.look import Look
from prism_rec.explore.question import Question
from prism_rec.folders import begin_folder
from prism_rec.runs.combine import SHARES
from prism_rec.runs.run import Run
from prism_rec.runs.train import train
from prism_rec.serve.bundles import Bundles

ITEMS = [f"i{number:02}" for number in range(14)]
HISTORY = ITEMS[2:5]


def make_data(seed: int = 0, split: str = "leave-one-out") -> Dataset:
    random = np.random.default_rng(seed)
    log = pl.DataFrame(
        [
            {"user_id": f"u{user}", "item_id": ITEMS[item], "timestamp": time}
            for user in range(25)
            for time, item in enumerate(random.permutation(len(ITEMS))[:5])
        ]
    )
    vectors = {name: (random.normal(size=(14, 5)), ITEMS) for name in ("image", "text")}
    return Dataset.from_frame(log, pl.DataFrame({"item_id": ITEMS}), vectors, split={"kind": split})


def make_run(folder: Path, data: Dataset, seed: int = 0, **model: object) -> Run:
    settings = {"width": 8, "max_length": 5, **model}
    config = {"model": settings, "train": {"epochs": 2, "seed": seed}}
    return train(RunConfig.parse(config), folder, data=data)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, data = tmp_path_factory.mktemp("runs"), make_data()
    make_run(folder / "sum", data, fusion={"kind": "sum"})
    make_run(
        folder / "gate", data, 1, fusion={"kind": "gate"}, modalities=["text"], similar={"neighbours": 3}
    )
    return [folder / "sum", folder / "gate"]


@pytest.fixture(scope="module")
def both(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ensemble in which both runs have a weight, whatever validation says of runs as weak as these."""
    folder = tmp_path_factory.mktemp("both") / "both"
    made = ensemble(runs, folder)
    if len(made.members) == 2:
        return folder
    loaded = [Run.load(run, "cpu") for run in runs]
    settings = json.loads((folder / "config.json").read_text())
    members = [settings["members"][0] | {"run": run.name, "weight": 0.5, "scale": 1.5} for run in runs]
    config = made.config.model_validate(settings | {"members": members})
    other = folder.with_name("half")
    Ensemble(config, made.dataset, tuple(loaded), made.folder).write(other, made.dataset)
    return other


def scores_of(run: Run | Ensemble) -> np.ndarray:
    questions = run.dataset.queries("test")
    ranker = run.ranker()
    users = ranker.states(questions.histories, np.arange(len(questions.users)))
    return ranker.scores(users)[:, 1:].double().numpy().copy()


def test_the_score_is_the_weighted_sum_of_the_normalised_scores(runs: list[Path], both: Path) -> None:
    found = Ensemble.load(both, "cpu")
    assert sum(member.weight for member in found.config.members) == pytest.approx(1)
    expected = sum(
        member.weight / member.scale * scores_of(Run.load(run, "cpu"))
        for member, run in zip(found.config.members, runs, strict=True)
    )
    np.testing.assert_allclose(scores_of(found), expected, atol=1e-5)


def test_the_scale_is_the_spread_over_the_catalogue(runs: list[Path], tmp_path: Path) -> None:
    made = ensemble(runs, tmp_path / "out", device="cpu")
    by_name = {run.name: run for run in runs}
    for member in made.config.members:
        run = Run.load(by_name[member.run], "cpu")
        questions, ranker = run.dataset.queries("validation"), run.ranker()
        scores = ranker.scores(ranker.states(questions.histories, np.arange(len(questions.users))))
        assert member.scale == pytest.approx(float(scores[:, 1:].std(1).mean()), rel=1e-5)


def test_validation_chooses_the_weights_and_nothing_else_does(runs: list[Path], tmp_path: Path) -> None:
    made = ensemble(runs, tmp_path / "out", device="cpu")
    reached = evaluate(tmp_path / "out", "validation", device="cpu")["metrics"][made.config.metric]
    loaded = [Run.load(run, "cpu") for run in runs]
    questions = loaded[0].dataset.queries("validation")
    scores = []
    for run in loaded:
        ranker = run.ranker()
        of_run = ranker.scores(ranker.states(questions.histories, np.arange(len(questions.users)))).clone()
        scores.append(of_run / of_run[:, 1:].std(1).mean())
    values = []
    for share in SHARES[1:-1]:
        total = (1 - share) * scores[0] + share * scores[1]
        ranker.mask_seen(total, questions.histories, np.arange(len(questions.users)))
        target = total.gather(1, torch.from_numpy(questions.targets)[:, None])
        ranks = (total > target).sum(1).numpy() + 1
        values.append(float(METRICS["ndcg"](ranks, 10).mean()))
    alone = [run.folder.read_manifest()["validation"][made.config.metric] for run in loaded]
    assert reached == pytest.approx(max(*values, *alone), abs=1e-6)
    stored = json.loads((tmp_path / "out" / "manifest.json").read_text())["validation"]
    assert stored[made.config.metric] == pytest.approx(reached, abs=1e-6)


def test_a_run_that_does_not_help_is_left_out(runs: list[Path], tmp_path: Path) -> None:
    data = Run.load(runs[0], "cpu").dataset
    same = [make_run(tmp_path / name, data, fusion={"kind": "sum"}).folder.path for name in ("a", "b")]
    made = ensemble(same, tmp_path / "out", device="cpu")
    assert [member.run for member in made.config.members] == ["a"]  # of equal shares the smallest
    np.testing.assert_allclose(
        scores_of(made) * made.config.members[0].scale, scores_of(Run.load(same[0], "cpu")), atol=1e-5
    )


def test_the_folder_is_enough_for_recommendations_whose_parts_add_up(both: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(both, tmp_path / "moved")
    recommender = load(moved, "cpu")
    assert recommender.component_names == ("id", "image", "text", "similar")
    frame = recommender.recommend(users=["u1", "u2"], k=5)
    parts = frame.select(recommender.component_names).to_numpy().sum(1)
    np.testing.assert_allclose(parts, frame["score"].to_numpy(), atol=1e-5)
    report = evaluate(moved, device="cpu")
    assert report["users"] == 25
    assert (moved / "evaluation-test.npz").exists()
    assert load(moved, "cpu").recommend(users=["u1", "u2"], k=5).equals(frame)


def test_explanations_are_those_of_the_sum(both: Path) -> None:
    recommender = load(both, "cpu")
    found = recommender.explain(HISTORY, ITEMS[9])
    assert sum(found.contributions.values()) == pytest.approx(found.score, abs=1e-5)
    assert set(found.modalities) == {"image", "text"}
    single = [
        (factor, load_single(one, recommender).explain(HISTORY, ITEMS[9]))
        for factor, one in recommender.ranker.members
    ]
    for name, effect in found.modalities.items():
        expected = sum(factor * one.modalities.get(name, 0) for factor, one in single)
        assert effect == pytest.approx(expected, abs=1e-5)
    for place, past in enumerate(found.history):
        assert past.effect == pytest.approx(
            sum(factor * one.history[place].effect for factor, one in single), abs=1e-5
        )


def load_single(ranker, recommender):
    run = next(run for run in recommender.run.members if run.model is ranker.model)
    return type(recommender)(run)


def test_vectors_similar_items_and_new_items(both: Path, tmp_path: Path) -> None:
    recommender = load(both, "cpu")
    vectors = {"image": (np.ones((1, 5)), ["new"]), "text": (np.ones((1, 5)), ["new"])}
    recommender.add_items(pl.DataFrame({"item_id": ["new"]}), vectors)
    row = recommender.recommend([HISTORY], candidates=["new"]).row(0, named=True)
    assert row["text"] != 0
    items, users = recommender.item_vectors(), recommender.user_vectors([HISTORY])
    inner = items["vector"].to_numpy() @ users["vector"].to_numpy()[0]
    whole = recommender.recommend([HISTORY], k=15, seen="keep")
    by_item = dict(zip(whole["item_id"], whole["score"] - whole["similar"], strict=True))
    for item, score in zip(items["item_id"], inner, strict=True):
        assert score == pytest.approx(by_item[item], abs=1e-4)
    assert recommender.similar_items(ITEMS[0], k=3).height == 3
    recommender.save(tmp_path / "saved", histories=False)
    again = load(tmp_path / "saved", "cpu")
    assert again.recommend([HISTORY], k=15, seen="keep").equals(whole)
    assert again.dataset.number_of_users == 0


def test_it_is_served_and_shown_like_a_run(both: Path, tmp_path: Path) -> None:
    recommender, bundles = load(both, "cpu"), Bundles(tmp_path / "bundles")
    for _ in range(5):  # old versions are deleted
        bundles.publish(recommender, "source", histories=False)
    assert sorted(path.name for path in bundles.path.iterdir() if path.is_dir()) == ["3", "4", "5"]
    served = bundles.load().recommender
    assert served.recommend([HISTORY], k=5).equals(recommender.recommend([HISTORY], k=5))
    assert served.explain(HISTORY, ITEMS[9]) == recommender.explain(HISTORY, ITEMS[9])
    look = Look("both", recommender, 5)
    assert look.modalities == ("image", "text")
    shown = look.shown(Question(items=tuple(HISTORY), off=("image",)))
    assert all(item.parts["image"] == 0 for item in shown.items)
    assert look.weights is not None


@pytest.mark.slow
def test_wrong_runs_are_refused_in_one_line(runs: list[Path], both: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs two runs or more"):
        ensemble(runs[:1], tmp_path / "out")
    other = make_run(tmp_path / "other", make_data(1), fusion={"kind": "sum"})
    with pytest.raises(InputError, match="other has other interactions than .*sum; combine runs"):
        ensemble([runs[0], other], tmp_path / "out")
    shuffled = RunConfig.parse(
        {"features": "shuffled", "model": {"width": 8, "fusion": {"kind": "sum"}}, "train": {"epochs": 1}}
    )
    train(shuffled, tmp_path / "shuffled", data=make_data())
    with pytest.raises(InputError, match="shuffled has other vectors of image than"):
        ensemble([runs[0], tmp_path / "shuffled"], tmp_path / "out")
    with pytest.raises(FolderError, match="output of 'ensemble'; a train folder is needed"):
        ensemble([runs[0], both], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    with pytest.raises(FolderError, match="full has mine.txt"):
        ensemble(runs, tmp_path / "full")
    everything = [make_run(tmp_path / name, make_data(split="none")) for name in ("x", "y")]
    with pytest.raises(DataError, match="no validation targets"):
        ensemble(everything, tmp_path / "out")


def test_what_was_not_finished_is_made_again_and_what_was_is_kept(runs: list[Path], tmp_path: Path) -> None:
    ensemble(runs, tmp_path / "whole")
    begin_folder(tmp_path / "out", "ensemble", ["config.json"])  # and then it was killed
    (tmp_path / "out/config.json").write_text("a part")
    ensemble(runs, tmp_path / "out")
    files = [(tmp_path / name / "config.json").read_text() for name in ("whole", "out")]
    assert files[0] == files[1]
    with pytest.raises(FolderError, match="out has earlier work in it; name an empty folder$"):
        ensemble(runs, tmp_path / "out")


def test_damage_is_noticed(both: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(both, tmp_path / "moved")
    weights = moved / "1" / "best.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(DamagedError, match="best.safetensors was changed after it was written"):
        load(moved, "cpu")


def test_the_command_combines_and_reports(runs: list[Path], tmp_path: Path) -> None:
    result = prism_rec("ensemble", *runs, "--out", tmp_path / "out", "--json", "--quiet")
    members = json.loads(result.out)["members"]
    assert {member["run"] for member in members} <= {"sum", "gate"}
    assert json.loads(prism_rec("evaluate", tmp_path / "out", "--json", "--quiet").out)["users"] == 25
    exported = prism_rec(
        "export-data", tmp_path / "out" / "data", "--format", "recbole", "--out", tmp_path / "recbole"
    )
    assert exported.status == 0
    refused = prism_rec("ensemble", runs[0], "--out", tmp_path / "one")
    assert refused.status == 2
    assert refused.err.count("\n") == 1
