"""Deliberate small changes to the code, each of which once passed all tests. `mutants.py listed` makes them."""

from typing import NamedTuple


class Change(NamedTuple):
    """A change of one file, and the tests that notice it."""

    name: str
    file: str
    edits: tuple[tuple[str, str], ...]
    tests: str


def _change(name: str, file: str, old: str, new: str, tests: str) -> Change:
    return Change(name, f"src/prism_rec/{file}.py", ((old, new),), f"tests/{tests}")


CHANGES = (
    _change(
        "the last partial chunk of the full softmax left out",
        "nn/linear_cross_entropy",
        "range(0, rows, chunk)",
        "range(0, rows - chunk + 1, chunk)",
        "nn/test_linear_cross_entropy.py",
    ),
    _change(
        "an objective's own parameters not trained",
        "training/begin",
        "optimizer = make_optimizer(step, config)",
        "optimizer = make_optimizer(step.model, config)",
        "training/test_loop.py",
    ),
    Change(
        "the last checkpoint written before the best",
        "src/prism_rec/training/loop.py",
        (
            (
                '            training.state.save(last, {"records": [asdict(record) for record in records]})\n',
                "            pass\n",
            ),
            (
                "            if writes and (validate is None or best_epoch(records, config.metric) == epoch):\n",
                "            if writes:\n"
                '                training.state.save(last, {"records": [asdict(record) for record in records]})\n'
                "            if writes and (validate is None or best_epoch(records, config.metric) == epoch):\n",
            ),
        ),
        "tests/training/test_loop.py",
    ),
    _change(
        "a comparison's cell tested on the validation questions",
        "comparison/cell",
        'run.dataset.queries("test")',
        'run.dataset.queries("validation")',
        "comparison/test_cell.py",
    ),
    _change(
        "raw p-values over users in the findings",
        "comparison/findings",
        "difference.users.holm < LEVEL",
        "difference.users.raw < LEVEL",
        "comparison/test_comparison.py",
    ),
    _change(
        "raw p-values over seeds in the findings",
        "comparison/findings",
        "difference.seeds.holm < LEVEL",
        "difference.seeds.raw < LEVEL",
        "comparison/test_comparison.py",
    ),
    _change(
        "raw p-values shown as Holm's",
        "comparison/findings",
        "Holm p {found.users.holm:.2g}",
        "Holm p {found.users.raw:.2g}",
        "comparison/test_comparison.py",
    ),
    _change(
        "the narrowest interval reported as the widest",
        "comparison/findings",
        "max(half / base for half, base in halves)",
        "min(half / base for half, base in halves)",
        "comparison/test_comparison.py",
    ),
    _change(
        "redirects checked with allow_private",
        "features/images/fetch",
        "_join(url, answer), allow_private=self._settings.allow_private",
        "_join(url, answer), allow_private=True",
        "features/images/test_fetch.py",
    ),
    _change(
        "one redirect too few",
        "features/images/fetch",
        "range(self._settings.redirects + 1)",
        "range(self._settings.redirects)",
        "features/images/test_fetch.py",
    ),
    _change(
        "one redirect too many",
        "features/images/fetch",
        "range(self._settings.redirects + 1)",
        "range(self._settings.redirects + 2)",
        "features/images/test_fetch.py",
    ),
    _change(
        "text files written in place",
        "files",
        "        partial.write_text(",
        "        partial.touch()\n        path.write_text(",
        "test_folders.py",
    ),
    _change(
        "a picture's cache key without the size",
        "features/contents",
        'f"{source} {size}"',
        'f"{source}"',
        "features/test_contents.py",
    ),
    _change(
        "what is asked for about seen items ignored for known users",
        "recommend/recommender",
        "        if users is not None:\n",
        "        if users is not None:\n            seen = None\n",
        "recommend",
    ),
    _change(
        "absent modalities counted in the view similarity",
        "fusion/prism/losses",
        "(similarity_IM * present_IM).sum(1) / present_IM.sum(1).clamp_min(1)",
        "similarity_IM.mean(1)",
        "fusion",
    ),
    _change(
        "absent modalities counted in the means of the losses",
        "fusion/prism/losses",
        "torch.where(counted_I, values_I, 0).sum() / count.masked_fill(count == 0, 1)",
        "values_I.mean()",
        "fusion",
    ),
    _change(
        "gate dropout unused",
        "fusion/gate",
        "self.dropout(F.gelu(evidence + self.inner.bias))",
        "F.gelu(evidence + self.inner.bias)",
        "fusion",
    ),
    _change(
        "STOSA's initial mean is zero",
        "backbones/stosa",
        "mean=0.01, std=0.02",
        "mean=0.0, std=0.02",
        "backbones",
    ),
    _change(
        "SASRec's post-norm residual dropout skipped",
        "backbones/sasrec",
        "self.attention_dropout(self.attention(asking_BAD, x_BLD, lengths_B))",
        "self.attention(asking_BAD, x_BLD, lengths_B)",
        "backbones",
    ),
    _change(
        "SASRec's original feed-forward norm skipped",
        "backbones/sasrec",
        "self.feed_forward_norm(asking_BAD + attended_BAD)",
        "asking_BAD + attended_BAD",
        "backbones",
    ),
    _change(
        "popularity slices that count test events",
        "evaluation/report",
        "questions.targets, dataset.training().counts",
        "questions.targets, dataset.histories.counts",
        "evaluation",
    ),
    _change(
        "gate weights of the validation questions",
        "comparison/cell",
        "weigh(run.ranker(), questions.histories)",
        'weigh(run.ranker(), run.dataset.queries("validation").histories)',
        "comparison/test_cell.py",
    ),
    _change(
        "torch not seeded by the run",
        "runs/train",
        "        torch.manual_seed(config.train.seed)\n",
        "",
        "runs",
    ),
    _change(
        "a seen target that stays a candidate",
        "rank/ranker",
        ".masked_fill(removed_B, NEVER)",
        "",
        "rank",
    ),
    _change(
        "states of users remembered for a gradient",
        "rank/ranker",
        "    @torch.no_grad()\n    def states",
        "    def states",
        "rank/test_ranker.py",
    ),
    _change(
        "scores of the catalogue remembered for a gradient",
        "rank/ranker",
        "    @torch.no_grad()\n    def scores",
        "    def scores",
        "rank/test_ranker.py",
    ),
    _change(
        "the run's setting for seen items ignored in serving",
        "recommend/recommender",
        "seen or self.ranker.seen",
        'seen or "remove"',
        "recommend",
    ),
)
