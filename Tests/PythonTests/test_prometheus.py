"""The metrics, the alerts and the board: Prometheus understands them, and they speak of the same things."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

from harness import REPOSITORY, NotPossible, eventually, main
from monitors import Monitor
from stand_in_worker import StandInWorker

RULES = REPOSITORY / "deploy/prometheus"
BOARD = REPOSITORY / "deploy/grafana/trade-executor.json"
METRIC = re.compile(r"\btrade_(?:executor|monitor)_[a-z_]+\b")


def metrics() -> str:
    with StandInWorker("p0") as worker, Monitor(*worker.flag) as monitor:
        worker.beats = {"halted": ["s"]}
        worker.say("s", "d-1", "pending", "submitted")
        worker.say("s", "d-1", "success")
        monitor.wait_for_seq("p0", 2)
        eventually("the halt", lambda: "halted" in monitor.partition("p0")["problems"])
        return monitor.ask("/metrics")[2].decode()


def promtool(*arguments: str, text: str | None = None) -> str:
    if shutil.which("promtool") is None:
        raise NotPossible("there is no promtool; apt-get install prometheus")
    done = subprocess.run(
        ["promtool", *arguments], cwd=RULES, capture_output=True, text=True, input=text, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def expressions(board: Any) -> list[str]:
    """All that a board asks for."""
    if isinstance(board, dict):
        own = [board[key] for key in ("expr", "query") if isinstance(board.get(key), str)]
        return own + [text for value in board.values() for text in expressions(value)]
    if isinstance(board, list):
        return [text for value in board for text in expressions(value)]
    return []


def test_prometheus_understands_the_metrics() -> str:
    text = metrics()
    said = promtool("check", "metrics", text=text)
    assert not said.strip(), said
    return f"{text.count('# TYPE')} metrics"


def test_the_alerts_are_right_and_fire_when_they_should() -> None:
    promtool("check", "rules", "trade-executor.rules.yml")
    promtool("test", "rules", "trade-executor.rules.test.yml")


def test_every_metric_of_alerts_and_board_is_exported() -> str:
    exported = set(METRIC.findall(metrics()))
    rules = (RULES / "trade-executor.rules.yml").read_text()
    board = json.loads(BOARD.read_text())
    asked = set(METRIC.findall(rules)) | {
        name for text in expressions(board) for name in METRIC.findall(text)
    }
    assert len(asked) > 15, asked
    assert not asked - exported, f"nobody exports {sorted(asked - exported)}"
    documented = set(METRIC.findall((REPOSITORY / "deploy/monitor.md").read_text()))
    families = set(re.findall(r"^# TYPE (\S+)", metrics(), re.MULTILINE))
    assert documented == families, documented ^ families
    return f"{len(asked)} of {len(families)}"


def test_every_panel_of_the_board_has_a_place_and_a_question() -> None:
    board = json.loads(BOARD.read_text())
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["targets"] and all(target["expr"] for target in panel["targets"]), panel
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells


if __name__ == "__main__":
    main(globals())
