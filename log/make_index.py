"""Write log/README.md, the index of the log: one line per entry, newest first."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent
HEADINGS = ("Question", "Settings", "Result", "Verdict", "Commit")
HEAD = """# Log

One file per experiment, failures included. Test data is read once per configuration, at its best validation epoch;
every reading is entered here. The machine has 2 cores and no GPU. R@10 and N@10 are Recall@10 and NDCG@10.

A new entry is a file `YYYY-MM-DD-NN-subject.md` with the headings Question, Settings, Result, Verdict and Commit. Then
run `python log/make_index.py`.

| date | entry | verdict |
|---|---|---|
"""


def entries() -> list[Path]:
    """Return the files of all entries, newest first."""
    return sorted(FOLDER.glob("[0-9]*.md"), reverse=True)


def verdict(text: str) -> str:
    """Return the first sentence of the section Verdict."""
    section = text.split("## Verdict\n\n")[1].split("\n## ")[0]
    return re.split(r"(?<=[.!?])\s", " ".join(section.split()))[0]


def index() -> str:
    """Return the content of log/README.md."""
    lines = []
    for path in entries():
        text = path.read_text(encoding="utf-8")
        title = text.splitlines()[0].removeprefix("# ")
        lines.append(f"| {path.name[:10]} | [{title}]({path.name}) | {verdict(text)} |\n")
    return HEAD + "".join(lines)


if __name__ == "__main__":
    (FOLDER / "README.md").write_text(index(), encoding="utf-8")
