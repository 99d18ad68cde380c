"""The stage `validate-explanations`: models trained on planted data, and how well they explain its users.

runs/NAME      the run of each model
report.json    what was found
manifest.json  written last
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prism_rec.config import Config
from prism_rec.data.dataset import Dataset
from prism_rec.events import Events
from prism_rec.explain.collapse import Collapse, look_for_collapse
from prism_rec.explain.deletion import Deletion, delete
from prism_rec.explain.mixtures import Truth, agreement, information_of_groups, mixtures_of_observer, recover
from prism_rec.explain.validation_settings import Name, ValidateExplanations
from prism_rec.files import locked, write_text_atomically
from prism_rec.folders import begin_folder, check_folder, finish_folder, require_folder
from prism_rec.inputs import checked
from prism_rec.records import MANIFEST
from prism_rec.runs.run import Run
from prism_rec.runs.train import train
from prism_rec.stages.chain import Step, run_chain
from prism_rec.training.config import RunConfig

STAGE = "validate-explanations"
REPORT, RUNS = "report.json", "runs"
TASK = "models"
_STRONG = {"lambdas": {"unique": 1.0, "redundancy": 0.3, "synergy": 0.1}, "margin": 1.0, "mask": "mean"}
FUSIONS: Mapping[Name, Mapping[str, Any]] = {
    "prism": {"kind": "prism"},
    "prism-gate": {"kind": "prism", "gate": "personal"},
    "experts": {"kind": "prism_experts"},
    "experts-strong": {"kind": "prism_experts", "dropout": 0.0, "gate_dropout": 0.0, **_STRONG},
    "experts-predictions": {"kind": "prism_experts", "losses_on": "prediction"},
    "published": {"kind": "prism_published"},
    "nested": {"kind": "prism_nested"},
    "sum": {"kind": "sum"},
}
"""The models by name: parts apart by construction; the published losses on embeddings, with strong weights, and on
predictions; the published form; PRISM nested over the sum; and the sum, whose accuracy is the one to beat."""
NO_IDS = 10**9
"""More training events than any item has: then no id counts after training."""


class ModelFinding(Config):
    """The figures of one model. A number per part is Spearman's correlation over users with the true mixture."""

    model: str
    """Name of the model."""
    accuracy: float
    """Best validation NDCG@10."""
    shares: dict[str, float] | None
    """By the share of each component in the scores of the ten best items; None if scores have no components."""
    shares_with: dict[str, dict[str, float]] | None
    """The same for each true part with the share of each component."""
    weights: dict[str, float] | None
    """By the gate's weight of each component; None if there is no gate."""
    of_id: float
    """Mean share of the id in these scores."""
    collapse: Collapse
    """How far components and weights are from being equal or constant."""
    faults: list[str]
    """What has collapsed."""
    deletion: Deletion | None
    """The deletion test on the planted data."""


class Findings(Config):
    """The result of `validate-explanations`."""

    observer: dict[str, float]
    """The correlation for somebody who sees the true factors of every history: more cannot be recovered."""
    information: dict[str, dict[str, float]]
    """Bits that picture and text tell of a choice, by the largest part of the users' mixture; no model is needed."""
    models: list[ModelFinding]
    """The models."""
    run: Deletion | None
    """The deletion test of the given run."""


@checked
def validate_explanations(
    settings: ValidateExplanations,
    out: Path,
    events: Events = Events(),
    *,
    device: str = "auto",
    replace: bool = False,
) -> Findings:
    """Train models on planted data, and compare their shares and weights for each user with the truth.

    Nothing is done if it was done before with the same settings. An interrupted training continues.

    Args:
        settings: data and models.
        out: the folder to write; new, empty, or with an output of the same settings.
        events: hears what is done.
        device: `cpu`, `cuda`, `cuda:N`, or `auto` for CUDA if there is one.
        replace: replace an output of other settings too.

    Returns:
        The findings.

    Raises:
        InputError: a setting is wrong, or the folder has something else.
    """
    step = Step(
        name=STAGE,
        folder=out,
        stage=STAGE,
        settings=settings.model_dump(mode="json"),
        inputs=() if settings.run is None else (settings.run / MANIFEST,),
        run=lambda: _validate(settings, out, events, device),
    )
    check_folder(out, STAGE, [] if settings.run is None else [settings.run])
    with locked(out):
        run_chain([step], out, events, replace)
        require_folder(out, STAGE, REPORT)
        return Findings.model_validate_json((out / REPORT).read_text(encoding="utf-8"))


def config_of(settings: ValidateExplanations, name: Name) -> RunConfig:
    """Return the settings of the run of one of the models."""
    without_ids = {} if settings.ids else {"id_dropout": 0.99, "id_events": NO_IDS}
    return RunConfig.parse(
        {
            "model": {
                "width": settings.width,
                "max_length": settings.planted.events_per_user,
                "fusion": FUSIONS[name],
                "backbone": {"kind": "sasrec", "layers": 1, "dropout": 0.1},
                **without_ids,
            },
            "train": {
                "epochs": settings.epochs,
                "patience": settings.epochs,
                "batch_size": 64,
                "learning_rate": 0.005,
                "seed": settings.seed,
            },
        }
    )


def _validate(settings: ValidateExplanations, out: Path, events: Events, device: str) -> None:
    begin_folder(out, STAGE, [RUNS, REPORT])
    dataset = Dataset.from_log(settings.planted.read())
    truth, histories = Truth.of(dataset), dataset.histories
    observed = mixtures_of_observer(truth, histories, settings.planted.concentration)
    events.begin(TASK, len(settings.models))
    models = []
    for name in settings.models:
        run = train(config_of(settings, name), out / RUNS / name, data=dataset, device=device, events=events)
        models.append(_look(run, name, truth, settings.deletion_users))
        events.advance(TASK)
    events.end(TASK)
    given = None if settings.run is None else Run.load(settings.run, device)
    findings = Findings(
        observer=_own(agreement(truth.mixtures_UF, observed)),
        information={name: asdict(found) for name, found in information_of_groups(truth, histories).items()},
        models=models,
        run=None
        if given is None
        else delete(given.ranker(), given.dataset.histories, settings.deletion_users),
    )
    write_text_atomically(out / REPORT, findings.model_dump_json(indent=2) + "\n")
    finish_folder(out, STAGE, settings.model_dump(mode="json"), [REPORT], kept=[RUNS])


def _look(run: Run, name: str, truth: Truth, deletion_users: int) -> ModelFinding:
    ranker, histories = run.ranker(), run.dataset.histories
    found = recover(ranker, histories)
    shares, weights = (
        None if given is None else agreement(truth.mixtures_UF, given)
        for given in (found.shares_UF, found.weights_UF)
    )
    collapse = look_for_collapse(run.model, found.weights_UF)
    manifest = require_folder(run.folder.path, "train")
    return ModelFinding(
        model=name,
        accuracy=manifest["validation"]["ndcg@10"],
        shares=None if shares is None else _own(shares),
        shares_with=shares,
        weights=None if weights is None else _own(weights),
        of_id=found.of_id,
        collapse=collapse,
        faults=collapse.faults(),
        deletion=delete(ranker, histories, deletion_users),
    )


def _own(table: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {name: row[name] for name, row in table.items()}
