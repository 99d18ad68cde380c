"""Deletion test of explanations: removing what is called important should lower the score more than a random item.

    python benchmarks/deletion.py runs/prism

For each user's best recommended item, one past item is removed, then a third of the past items together. The effects of
single items order both. The first comparison measures how often a random item has as large an effect; the second also
measures whether single effects say anything about removing several items at once. Then each component is compared with
itself over items and with the other components: has it collapsed?
"""

import sys

from prism_rec import Run
from prism_rec.explain.collapse import look_for_collapse
from prism_rec.explain.deletion import delete

USERS = 300


def main(folder: str) -> None:
    run = Run.load(folder, "cpu")
    found = delete(run.ranker(), run.dataset.histories, USERS)
    assert found is not None, "no history has three items"
    for name, share, (top, other) in zip(
        ("one item", "a third of the items"), (found.one, found.third), found.falls, strict=True
    ):
        print(
            f"{name}: removing the highest lowers the score more than at random for {share:.1%} of "
            f"{found.users} users; by {top:.3f} against {other:.3f} on average"
        )
    collapse = look_for_collapse(run.model, None)
    for component, variation in collapse.variation.items():
        print(f"{component}: variation {variation:.2f}, likeness {collapse.likeness[component]:.3f}")
    print("collapsed:", "; ".join(collapse.faults()) or "nothing")


if __name__ == "__main__":
    main(sys.argv[1])
