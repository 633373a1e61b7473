"""What the database proves: deploy/contract/database.md, its tables and its questions."""

from __future__ import annotations

import json
import pathlib
import re
import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime, timezone

from harness import (
    COIN,
    PATIENCE,
    REPOSITORY,
    Json,
    Publisher,
    Simulator,
    State,
    Worker,
    binaries,
    eventually,
    main,
    strict_json,
)
from test_access import KeyRing, key_ring

PAGE = (REPOSITORY / "deploy/contract/database.md").read_text()
MOMENT = "2026-11-22T14:30:00.000000Z"


def questions() -> dict[str, list[str]]:
    """The SQL under each heading of the page."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        heading, text = part.split("\n", 1)
        if blocks := re.findall(r"^```sql\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            found[heading] = blocks
    return found


class Auditor:
    """Reads one database with the page's questions, and nothing else."""

    def __init__(self, state: State, moment: str = MOMENT):
        self.state = state
        self.moment = moment
        self.asked: set[str] = set()

    def ask(self, heading: str, decision_id: str = "d-17", block: int = 0) -> list[Json]:
        self.asked.add(heading)
        sql = questions()[heading][block].replace(MOMENT, self.moment)
        rows: list[Json] = []
        uri = f"file:{self.state.database}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            for statement in sql.replace("'d-17'", f"'{decision_id}'").split(";\n"):
                if statement.strip():
                    rows += [dict(row) for row in connection.execute(statement)]
        return rows


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def replace(path: pathlib.Path, content: Json) -> str:
    """As editors do."""
    text = json.dumps(content)
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").rename(path)
    return text


def limits(most: str) -> Json:
    return {"v": 1, "each": {"order_quantity_max": most}}


def outcome(worker: Worker, decision_id: str, final: bool = True) -> Json:
    """The last outcome, once it is final, or once there is any."""

    def last() -> Json | None:
        bodies = [strict_json(body) for body in worker.state.stored_outcomes("mean-rev")]
        own = [body for body in bodies if body["decision_id"] == decision_id]
        return own[-1] if own and (own[-1]["final"] or not final) else None

    found: Json = eventually(f"an outcome of {decision_id}", last)
    return found


def trade(worker: Worker, simulator: Simulator, ring: KeyRing, limits_file: pathlib.Path) -> str:
    """A day of all kinds; returns a moment at which one order rested, one was being sent and one waited."""
    with Publisher(worker, keys=ring.keys("alice")) as alice:
        alice.accepted("first", "mean-rev", **COIN)
        outcome(worker, "first")
        simulator.fault("html_504", client_order_id="mean-rev:d-17")
        alice.accepted("d-17", "mean-rev", **COIN)
        assert outcome(worker, "d-17")["execution"]["resolution"] == "found"
        alice.accepted("large", "mean-rev", quantity="60")
        assert outcome(worker, "large")["reason"] == "order_quantity_limit"
        replace(limits_file, limits("1000"))
        alice.accepted("larger", "mean-rev", quantity="60")
        outcome(worker, "larger")
        alice.accepted("resting", "mean-rev", quantity="1", order_type="limit", limit_price="1.00")
        outcome(worker, "resting", final=False)
        simulator.fault("delay_after_recording", milliseconds=1000)
        alice.accepted("slow", "mean-rev", **COIN)
        simulator.wait_for_post("mean-rev:slow")
        alice.accepted("behind", "mean-rev", **COIN)
        moment = now()
        outcome(worker, "behind")
    with Publisher(worker, keys=ring.keys("bob")) as bob:
        assert bob.decide("not-his", "mean-rev")["code"] == "not_authorised"
        assert bob.ask_bytes(b'{"v":1,')["code"] == "bad_json"
    return moment


def operate(*arguments: object) -> None:
    subprocess.run(
        [str(binaries() / "trade-executor"), *map(str, arguments)],
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )


def test_plain_sql_answers_what_an_auditor_asks() -> str:
    with Simulator() as simulator, State() as state, key_ring() as ring:
        ring.allow("alice", "--strategy", "mean-rev")
        ring.allow("bob", "--strategy", "other")
        limits_file = state.path / "limits.json"
        before = replace(limits_file, limits("50"))
        map_file = state.path / "map.json"
        place = {"intake": "tcp://127.0.0.1:1", "outcomes": "tcp://127.0.0.1:2"}
        partition_map = {"v": 1, "epoch": 3, "default": "p0", "partitions": {"p0": place}}
        replace(map_file, {**partition_map, "strategies": {}})
        flags = ["--limits", str(limits_file), "--partition-map", str(map_file)]
        with Worker(simulator, *ring.flags(), *flags, "--max-age-s", "77", state=state) as worker:
            moment = trade(worker, simulator, ring, limits_file)
            ring.command("revoke", "bob")
            operate("halt", "--reason", "an audit", "--state-dir", state.path)
            halted = "SELECT count(*) FROM halt_events WHERE action = 'halted'"
            eventually("the halt on record", lambda: state.rows(halted) == [(1,)])
            revoked = "SELECT count(*) FROM settings_in_force WHERE setting = 'allowed_keys'"
            eventually("the revocation on record", lambda: state.rows(revoked) == [(2,)])
            at_halt = now()
            operate("resume", "--state-dir", state.path)
            eventually(
                "the resumption", lambda: state.rows("SELECT count(*) FROM halt_events")[0][0] == 2
            )
            assert worker.terminate() == 0
        auditor = Auditor(state, moment)
        later = Auditor(state, at_halt)

        [sent] = auditor.ask("Who sent it, what exactly, and what was acknowledged?")
        alices = (
            ring.directory.joinpath("alice.key")
            .read_text()
            .split('public-key = "')[1]
            .split('"')[0]
        )
        assert sent["sender"].startswith("alice@") and sent["sender"].endswith(
            f" key {alices}"
        ), sent
        assert strict_json(sent["message"].encode())["decision_id"] == "d-17"
        assert sent["decision_seq"] == 2 and len(sent["stream"]) == 16, sent

        wire = auditor.ask("What went to the broker, and what came back?")
        assert [(row["method"], row["status_code"]) for row in wire][:4] == [
            ("POST", None),
            ("POST", 504),
            ("GET", None),
            ("GET", 200),
        ], wire
        [post] = simulator.posts("mean-rev:d-17")
        assert wire[0]["body"] == post["body"], (wire[0], post)

        told = auditor.ask("What was told, and when?")
        results = [row["result"] for row in told]
        assert results[0] == "unknown" and results[-1] == "success", told
        assert [row["body"].encode() for row in told] == [
            body
            for body in state.stored_outcomes("mean-rev")
            if strict_json(body)["decision_id"] == "d-17"
        ]
        [told] = auditor.ask("What was told, and when?", "large")
        assert told["reason"] == "order_quantity_limit" and "50" in told["message"], told

        for name in ["not-his", "mean-rev:not-his"]:
            shown = subprocess.run(
                [str(binaries() / "trade-executor"), "show", name, "--state-dir", str(state.path)],
                capture_output=True,
                text=True,
            )
            assert shown.returncode == 1 and len(shown.stderr.splitlines()) == 1, shown
            assert "refused once, at " in shown.stderr, shown
            assert "not_authorised: " in shown.stderr, shown

        known = auditor.ask("What was not yet decided at a moment, and what was known of it?")
        assert [(row["decision_id"], row["known"]) for row in known] == [
            ("resting", "pending"),
            ("slow", "sending"),
            ("behind", "waiting"),
        ], known

        assert auditor.ask("Was anything sent twice, or lost?") == []
        refused = auditor.ask("Who was refused, and why?")
        assert [(row["code"], row["decision_id"]) for row in refused] == [
            ("not_authorised", "not-his"),
            ("bad_json", None),
        ], refused
        assert all(row["sender"].startswith("bob@") for row in refused), refused

        halts = "What was halted at a moment, by whom and why?"
        assert auditor.ask(halts) == []
        [halt] = later.ask(halts)
        assert (halt["scope"], halt["reason"]) == ("all", "an audit") and "@" in halt["by_whom"]

        by_what = "By which limits, and at which broker, was it sent?"
        for decision, expected in [
            ("d-17", before),
            ("large", before),
            ("larger", limits_file.read_text()),
        ]:
            settings = {row["setting"]: row["value"] for row in auditor.ask(by_what, decision)}
            assert settings["limits"] == expected, (decision, settings)
            assert settings["broker_url"] == simulator.url and settings["max_age_s"] == "77"
            assert settings["allowed_keys"]

        allowed = "Whose keys were allowed to trade at a moment?"
        assert [row["name"] for row in auditor.ask(allowed)] == ["alice", "bob"]
        assert [row["name"] for row in later.ask(allowed)] == ["alice"]
        [by_key] = auditor.ask(allowed, block=1)
        assert by_key["public_key"] == alices and by_key["count(*)"] == 7, by_key

        where = "Where was a strategy, and is this the database to ask?"
        assert auditor.ask(where) == []
        [at] = auditor.ask(where, block=1)
        assert (at["epoch"], at["partition"]) == (3, "p0")
        restored = "Was the database ever restored, or archived from?"
        assert auditor.ask(restored) == auditor.ask(restored, block=1) == []
        assert auditor.asked == set(questions()), auditor.asked ^ set(questions())
        return f"{sum(map(len, questions().values()))} questions"


def test_the_questions_about_losses_find_each_of_them() -> None:
    with Simulator() as simulator, State() as state:
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            for number in range(3):
                publisher.accepted(f"d-{number}", "mean-rev", **COIN)
                outcome(worker, f"d-{number}")
            assert worker.terminate() == 0
        auditor = Auditor(state)
        heading = "Was anything sent twice, or lost?"
        assert auditor.ask(heading) == []
        for fault, expected in [
            (
                "INSERT INTO api_payloads (type, method, endpoint, body, trade_decision_id, captured_at)"
                " VALUES ('ApiRequest', 'POST', '/v2/orders', '{}', 3, 't')",
                [{"trade_decision_id": 3}],
            ),
            (
                "UPDATE trade_decisions SET last_outcome_seq = 1 WHERE id = 1",
                [{"trade_decision_id": 3}, {"id": 1}],
            ),
            (
                "DELETE FROM outcomes WHERE seq = 2",
                [
                    {"trade_decision_id": 3},
                    {"seq": 3},
                    {"strategy_name": "mean-rev", "strategy_seq": 3},
                    {"id": 1},
                ],
            ),
        ]:
            with closing(sqlite3.connect(state.database)) as connection, connection:
                connection.execute(fault)
            assert auditor.ask(heading) == expected, (fault, auditor.ask(heading))


def test_what_was_in_force_is_kept_once_and_for_ever() -> None:
    """Also that a file of limits is there no more."""
    with Simulator() as simulator, State() as state:
        file = state.path / "limits.json"
        text = replace(file, limits("50"))
        for flags in [["--limits", str(file)], ["--limits", str(file)], [], []]:
            with Worker(simulator, *flags, state=state) as worker:
                assert worker.terminate() == 0
        rows = "SELECT value FROM settings_in_force WHERE setting = 'limits' ORDER BY id"
        assert state.rows(rows) == [(text,), (None,)]
        urls = "SELECT count(*) FROM settings_in_force WHERE setting = 'broker_url'"
        assert state.rows(urls) == [(1,)]
        for change in ["DELETE FROM settings_in_force", "UPDATE settings_in_force SET value = 1"]:
            assert "never" in state.shell(change).stderr


def test_the_page_names_every_table_and_column_and_no_other() -> None:
    tables = re.split(r"^### ", PAGE.split("\n## Tables\n")[1], flags=re.MULTILINE)[1:]
    told: dict[str, set[str]] = {}
    for part in tables:
        heading, text = part.split("\n", 1)
        cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
        told[heading.strip("`")] = set(re.findall(r"`(\w+)`", " ".join(cells) or text))
    with Simulator() as simulator, State() as state, Worker(simulator, state=state):
        names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        there = {name for (name,) in state.rows(names)}
        assert there == set(told), there ^ set(told)
        for table in there:
            columns = {row[1] for row in state.rows(f"PRAGMA table_info({table})")}
            assert columns == told[table], (table, columns ^ told[table])


def test_the_page_names_every_table_that_is_never_changed() -> None:
    [sentence] = re.findall(r"\*\*Never changed and never deleted\*\*(.*?)\. Only", PAGE, re.DOTALL)
    with Simulator() as simulator, State() as state, Worker(simulator, state=state):
        guarded = state.rows("SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'trigger'")
        assert {name for (name,) in guarded} == set(re.findall(r"`(\w+)`", sentence))


if __name__ == "__main__":
    main(globals())
