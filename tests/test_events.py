"""Events as JSON lines, and the base class that ignores everything."""

import io
import json

from prism_rec.events import Events, JsonLines


def _tell(events: Events) -> None:
    events.begin("epochs", 2)
    events.advance("epochs", 1, {"loss": 0.5})
    events.advance("epochs")
    events.end("epochs")
    events.note("done")


def test_json_lines_have_one_object_per_event() -> None:
    stream = io.StringIO()
    _tell(JsonLines(stream))
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [
        {"event": "begin", "task": "epochs", "total": 2},
        {"event": "advance", "task": "epochs", "steps": 1, "facts": {"loss": 0.5}},
        {"event": "advance", "task": "epochs", "steps": 1},
        {"event": "end", "task": "epochs"},
        {"event": "note", "line": "done"},
    ]


def test_events_are_ignored_by_default() -> None:
    _tell(Events())
