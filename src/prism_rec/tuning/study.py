"""The study: an Optuna study in an SQLite file, which keeps every finished trial.

What a trial tries depends only on the seed, its number and the earlier results. An interrupted trial is marked as
failed when the study is opened again, and the trial that takes its number tries the same values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from prism_rec.errors import DamagedError, FolderError, InputError, MachineError
from prism_rec.machine import AGAIN
from prism_rec.tuning.result import TrialResult
from prism_rec.tuning.search import TuneConfig

if TYPE_CHECKING:
    import optuna

FINISHED_BEFORE_PRUNING = 5


def require_optuna() -> None:
    """Check that Optuna is installed.

    Raises:
        InputError: it is not installed.
    """
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise InputError("tune needs Optuna: pip install 'prism-rec[tune]'") from None


@contextmanager
def opened(path: Path, config: TuneConfig) -> Iterator[Study]:
    """Open a study, or begin it.

    Raises:
        FolderError: the file is damaged.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = None
    try:
        storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
        study = optuna.create_study(
            storage=storage,
            study_name="tune",
            direction="maximize",
            pruner=_pruner(config),
            load_if_exists=True,
        )
        yield Study(study, config.seed)
    except SQLAlchemyError as error:
        raise _in_one_line(error, path) from None
    except optuna.exceptions.StorageInternalError as error:  # Optuna's word for an error of SQLAlchemy
        raise _in_one_line(error.__cause__ or error, path) from None
    finally:
        if storage is not None:
            storage.engine.dispose()


def _in_one_line(error: BaseException, path: Path) -> InputError:
    """Return the fault of the file; a file that is in use or cannot be written is not damaged."""
    why = str(error).splitlines()[0]
    if "locked" in why or "busy" in why:
        return FolderError(f"{path} is in use by another program; wait for it, then {AGAIN}")
    if any(words in why for words in ("readonly", "unable to open", "disk I/O", "is full")):
        fix = "make room, or give the permission to write there"
        return MachineError(f"{path} cannot be written ({why}); {fix}, then {AGAIN}")
    return DamagedError(f"{path} cannot be used: {why}; search again in another folder")


class Study:
    """Finished trials, and proposals for the next ones.

    Args:
        study: of Optuna; trials that it has as running are ended.
        seed: of the proposals.
    """

    def __init__(self, study: optuna.Study, seed: int) -> None:
        self._study = study
        self._seed = seed
        running = study.get_trials(deepcopy=False, states=(_states().RUNNING,))
        for trial in running:
            if "result" in trial.user_attrs:  # interrupted between the two steps of `tell`
                self._end(trial.number, _read_result(trial.user_attrs))
            else:
                study.tell(trial.number, state=_states().FAIL)

    @property
    def claim(self) -> Any:
        """The settings that the study was begun with, as JSON values; None if it is new."""
        return self._study.user_attrs.get("claim")

    @claim.setter
    def claim(self, claim: Any) -> None:
        self._study.set_user_attr("claim", claim)

    def results(self) -> list[TrialResult]:
        """Return the results of the finished trials, in their order.

        Raises:
            DamagedError: a result was changed.
        """
        trials = self._study.get_trials(deepcopy=False)
        return [_read_result(trial.user_attrs) for trial in trials if "result" in trial.user_attrs]

    def ask(self) -> optuna.Trial:
        """Begin the next trial."""
        import optuna

        seed = np.random.SeedSequence([self._seed, len(self.results())]).generate_state(1)
        self._study.sampler = optuna.samplers.TPESampler(seed=int(seed[0]))
        return self._study.ask()

    def tell(self, trial: optuna.Trial, result: TrialResult) -> None:
        """End a trial."""
        content = result.model_dump(mode="json")
        trial.set_user_attr("result", {"sha256": _hash(content), "result": content})
        self._end(trial.number, result)

    def _end(self, number: int, result: TrialResult) -> None:
        state = {"complete": "COMPLETE", "pruned": "PRUNED"}.get(result.state, "FAIL")
        value = result.value if result.state == "complete" else None
        self._study.tell(number, value, state=_states()[state])


def _read_result(attributes: Mapping[str, Any]) -> TrialResult:
    stored = attributes["result"]
    if stored["sha256"] != _hash(stored["result"]):
        raise DamagedError("the result of a trial in study.db was changed; search again in another folder")
    return TrialResult.parse(stored["result"])


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _pruner(config: TuneConfig) -> optuna.pruners.BasePruner:
    import optuna

    if config.prune_after is None:
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(
        n_startup_trials=FINISHED_BEFORE_PRUNING, n_warmup_steps=config.prune_after + 1
    )


def _states() -> type[optuna.trial.TrialState]:
    import optuna

    return optuna.trial.TrialState
