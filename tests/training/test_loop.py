import pytest
import torch

from prism_rec.data.histories import Histories
from prism_rec.errors import InputError
from prism_rec.events import Events
from prism_rec.objectives.cross_entropy import CrossEntropy
from prism_rec.objectives.indirec.objective import InDiRec, InDiRecConfig
from prism_rec.testing import plant_features
from prism_rec.training import loop
from prism_rec.training.checkpoint import load_tensors
from prism_rec.training.config import RunConfig, TrainConfig
from prism_rec.training.loop import (
    AfterEpoch,
    EpochRecord,
    best_epoch,
    fit,
    make_optimizer,
    stopped_by,
    train_epoch,
)
from prism_rec.training.step import TrainStep
from training.killable import run_small

BEST, LAST = "best.safetensors", "last.safetensors"


def stop_after(epoch: int) -> AfterEpoch:
    def stop(records):
        if len(records) == epoch:
            raise RuntimeError("stopped")

    return stop


class Heard(Events):
    def __init__(self) -> None:
        self.calls = []

    def begin(self, task, total=None):
        self.calls.append(("begin", task, total))

    def advance(self, task, steps=1, facts=None):
        self.calls.append(("advance", steps, facts))

    def end(self, task):
        self.calls.append(("end", task))

    def note(self, line):
        self.calls.append(("note", line))


def without_seconds(records: list[EpochRecord]) -> list[tuple]:
    return [(record.epoch, record.loss, record.interaction_loss, record.validation) for record in records]


def fit_scripted(folder, values, **train) -> tuple[list[EpochRecord], list[dict], dict]:
    """Train with validation metrics as given; return records, the weights at each validation, those at the end."""
    run = RunConfig.parse({"model": {"width": 8, "max_length": 4, "fusion": {"kind": "sum"}}}, "here")
    torch.manual_seed(0)
    model = run.model.build(9, plant_features(9))
    snapshots = []

    def validate(model):
        snapshots.append({name: weight.clone() for name, weight in model.state_dict().items()})
        return {"ndcg@10": values[len(snapshots) - 1]}

    histories = Histories.from_lists([[1, 2, 3, 4], [5, 6], [7, 8, 9], [2, 4]])
    config = TrainConfig(**{"batch_size": 3, "learning_rate": 0.01, **train})
    records = fit(model, CrossEntropy(), histories, config, validate, folder / LAST, folder / BEST)
    return records, snapshots, model.state_dict()


def test_there_is_a_record_an_epoch_and_the_loss_falls(tmp_path):
    _, records = run_small(tmp_path, train={"epochs": 10, "patience": 10})
    assert [record.epoch for record in records] == list(range(1, 11))
    assert records[-1].loss < 0.8 * records[0].loss
    assert all(record.interaction_loss > 0 and record.seconds > 0 for record in records)
    assert all(set(record.validation) == {"recall@5", "mrr@5"} for record in records)


@pytest.mark.parametrize(
    ("values", "best", "epochs"),
    [
        ([0.1, 0.3, 0.2, 0.2, 0.9], 2, 4),
        ([0.5, 0.5, 0.5, 0.9], 1, 3),
        ([0.1, 0.2, 0.15, 0.3, 0.2, 0.1, 0.9], 4, 6),
        ([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], 8, 8),
    ],
    ids=["falls", "ties", "recovers", "rises"],
)
def test_it_stops_when_patience_runs_out_with_the_weights_of_the_best_epoch(tmp_path, values, best, epochs):
    records, snapshots, weights = fit_scripted(tmp_path, values, epochs=8, patience=2)
    assert len(records) == epochs
    assert best_epoch(records, "ndcg@10") == best
    saved, facts = load_tensors(tmp_path / BEST)
    assert facts == {"epoch": best}
    for name, weight in weights.items():
        assert torch.equal(weight, snapshots[best - 1][name])
        assert torch.equal(weight, saved[name])
    assert any(not torch.equal(weight, snapshots[0][name]) for name, weight in snapshots[-1].items())


def test_patience_counts_validations_and_the_last_epoch_is_validated(tmp_path):
    records, _, _ = fit_scripted(tmp_path, [0.3, 0.2, 0.1], epochs=7, patience=2, validate_every=3)
    assert [bool(record.validation) for record in records] == [False, False, True, False, False, True, True]
    (tmp_path / "other").mkdir()
    records, _, _ = fit_scripted(tmp_path / "other", [0.3, 0.2, 0.1], epochs=20, patience=2, validate_every=3)
    assert len(records) == 9


@pytest.mark.parametrize(
    ("values", "by"),
    [
        ([], None),
        ([0.1, 0.2, 0.15], None),
        ([0.1, 0.2, 0.3, 0.4, 0.5], "epochs"),
        ([0.1, 0.2, 0.3, 0.5, 0.4], "epochs"),
        ([0.2, 0.1, 0.1], "patience"),
        ([0.1, 0.1, 0.5, 0.4, 0.4], "patience"),
        ([None, None, 0.1, None], None),
        ([None, None, None, None, None], "epochs"),
    ],
)
def test_what_has_run_out(values, by):
    records = [
        EpochRecord(number, 1.0, 0.0, 0.0, {} if value is None else {"ndcg@10": value})
        for number, value in enumerate(values, start=1)
    ]
    assert stopped_by(records, TrainConfig(epochs=5, patience=2)) == by


def test_patience_does_not_count_epochs_before_the_first_validation():
    records = [EpochRecord(number, 1.0, 0.0, 0.0) for number in (1, 2, 3)]
    assert stopped_by(records, TrainConfig(epochs=5, patience=1)) is None


CHANGES = {
    "prism": {},
    "softmax and AdamW": {
        "objective": {"kind": "sampled_cross_entropy"},
        "train": {"optimizer": "adamw", "weight_decay": 0.01, "gradient_clip": 1.0},
    },
    "InDiRec": {"objective": {"kind": "indirec", "steps": 3, "intents": 3}},
    "STOSA": {"model": {"backbone": {"kind": "stosa"}}, "objective": {"kind": "stosa"}},
    "a part of the users": {"train": {"max_targets": 40}},
    "a part of the segments": {
        "objective": {"kind": "indirec", "steps": 3, "intents": 3},
        "train": {"max_targets": 40},
    },
}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(changes, id=name, marks=[pytest.mark.slow] * (name != "prism"))
        for name, changes in CHANGES.items()
    ],
)
def test_an_interrupted_run_goes_on_bit_for_bit(tmp_path, changes):
    settings = {**changes, "train": {"epochs": 4, **changes.get("train", {})}}
    (tmp_path / "alone").mkdir()
    (tmp_path / "stopped").mkdir()
    alone, records = run_small(tmp_path / "alone", **settings)
    for epoch in (1, 3):
        with pytest.raises(RuntimeError, match="stopped"):
            run_small(tmp_path / "stopped", stop_after(epoch), **settings)
        torch.rand(7)  # what happens in between must not matter
    model, resumed = run_small(tmp_path / "stopped", **settings)
    assert without_seconds(resumed) == without_seconds(records)
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, alone.state_dict()[name]), name


def test_an_epoch_trains_no_more_targets_than_it_may(tmp_path):
    for name, most in (("whole", None), ("half", 50)):
        (tmp_path / name).mkdir()
        _, records = run_small(tmp_path / name, train={"epochs": 1, "max_targets": most})
        # The planted users have two targets each.
        assert records[0].share == (1 if most is None else 0.5)


def test_a_finished_run_is_not_trained_again(tmp_path):
    model, records = run_small(tmp_path, train={"epochs": 2})
    before = (tmp_path / LAST).stat().st_mtime_ns

    heard = Heard()
    again, same = run_small(tmp_path, events=heard, train={"epochs": 2})
    assert sum(call[1] for call in heard.calls if call[0] == "advance") == 8  # told as done, in one step
    assert len(heard.calls) == 3
    assert same == records
    assert (tmp_path / LAST).stat().st_mtime_ns == before
    assert all(torch.equal(weight, again.state_dict()[name]) for name, weight in model.state_dict().items())


def test_the_seed_decides_everything(tmp_path):
    results = {}
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        (tmp_path / name).mkdir()
        results[name] = without_seconds(run_small(tmp_path / name, train={"epochs": 2, "seed": seed})[1])
    assert results["one"] == results["two"] != results["three"]


def test_events_get_every_batch_and_the_facts_of_every_epoch(tmp_path):
    heard, epochs = Heard(), []
    _, records = run_small(tmp_path, lambda records: epochs.append(len(records)), heard, train={"epochs": 2})
    best = records[0].validation["recall@5"]
    assert heard.calls == [
        ("begin", "training", 8),
        ("advance", 0, None),
        ("advance", 0, {"epoch": "1 of 2"}),
        *[("advance", 1, None)] * 4,
        ("advance", 0, {"epoch": "2 of 2", "loss": records[0].loss, "best recall@5": best}),
        *[("advance", 1, None)] * 4,
        ("end", "training"),
    ]
    assert epochs == [1, 2]


def test_a_run_that_continues_says_from_which_epoch_and_counts_what_is_done(tmp_path):
    with pytest.raises(RuntimeError, match="stopped"):
        run_small(tmp_path, stop_after(2), train={"epochs": 3})
    heard, epochs = Heard(), []
    run_small(tmp_path, lambda records: epochs.append(len(records)), heard, train={"epochs": 3})
    assert heard.calls[:3] == [
        ("note", "continuing from epoch 3 of at most 3"),
        ("begin", "training", 12),
        ("advance", 8, None),
    ]
    assert epochs == [2, 3]


@pytest.mark.parametrize("clip", [None, 0.001])
def test_the_gradient_is_clipped_as_a_whole(tmp_path, monkeypatch, clip):
    norms = []
    step = torch.optim.Adam.step

    def watched(self, *rest):
        slopes = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        norms.append(torch.cat([slope.flatten() for slope in slopes]).norm().item())
        return step(self, *rest)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    run_small(tmp_path, train={"epochs": 1, "gradient_clip": clip})
    assert len(norms) == 4
    assert all((norm <= 0.001 * 1.001) == (clip is not None) for norm in norms)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_the_optimizer_is_the_one_that_was_asked_for(optimizer):
    made = make_optimizer(
        torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)),
        TrainConfig(optimizer=optimizer, learning_rate=0.25, weight_decay=0.125),
    )
    assert type(made) is {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[optimizer]
    (group,) = made.param_groups
    assert (group["lr"], group["weight_decay"], len(group["params"])) == (0.25, 0.125, 4)


def test_a_run_that_diverges_is_told_in_one_line(tmp_path):
    with pytest.raises(InputError, match="loss is not finite in epoch 1; lower train.learning_rate"):
        fit_scripted(tmp_path, [0.1] * 3, epochs=3, learning_rate=1e30)


@pytest.mark.slow
def test_a_run_killed_while_it_writes_its_best_weights_loses_nothing(tmp_path, monkeypatch):
    (tmp_path / "alone").mkdir()
    (tmp_path / "killed").mkdir()
    _, records = run_small(tmp_path / "alone", train={"epochs": 6})
    best = best_epoch(records, "recall@5")
    save = loop.save_tensors

    def killed(path, tensors, facts):
        if facts["epoch"] == best:
            raise RuntimeError("killed")
        save(path, tensors, facts)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "save_tensors", killed)
        with pytest.raises(RuntimeError, match="killed"):
            run_small(tmp_path / "killed", train={"epochs": 6})
    run_small(tmp_path / "killed", train={"epochs": 6})
    (weights, facts), (expected, _) = (load_tensors(tmp_path / one / BEST) for one in ("killed", "alone"))
    assert facts == {"epoch": best}
    assert all(torch.equal(weight, expected[name]) for name, weight in weights.items())


def test_the_parameters_of_the_objective_are_trained_too(tmp_path):
    class Watched(InDiRec):
        def begin_training(self, model, histories):
            super().begin_training(model, histories)
            self.before = [parameter.detach().clone() for parameter in self.parameters()]

    torch.manual_seed(0)
    model = RunConfig.parse({"model": {"width": 8, "max_length": 4}}).model.build(9, plant_features(9))
    objective = Watched(InDiRecConfig(steps=3, intents=2, null_probability=0.5))
    histories = Histories.from_lists([[1, 2, 3, 4], [5, 6], [7, 8, 9], [2, 4]])
    config = TrainConfig(epochs=1, batch_size=3, learning_rate=0.01)
    fit(model, objective, histories, config, lambda _: {"ndcg@10": 0.1}, tmp_path / LAST, tmp_path / BEST)
    moved = [not torch.equal(*pair) for pair in zip(objective.parameters(), objective.before, strict=True)]
    assert moved
    assert all(moved)


def test_a_record_without_a_share_is_of_a_whole_epoch():
    assert EpochRecord(1, 2.0, 0.0, 0.5).share == 1


def test_an_epoch_without_batches_has_no_loss(tmp_path):
    class Nothing:
        share = 0.0

        def __len__(self):
            return 0

        def epoch(self, number):
            return iter(())

    model = RunConfig.parse({"model": {"width": 8, "max_length": 4}}).model.build(9, plant_features(9))
    step = TrainStep(model, CrossEntropy())
    record = train_epoch(step, make_optimizer(step, TrainConfig()), Nothing(), 1, TrainConfig())
    assert (record.loss, record.interaction_loss, record.share) == (0, 0, 0)
