"""The monitor's page in a real Chromium: what it shows, and that nothing it is told runs in it.

Screenshots are left in .build/screenshots.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator

from chromium import Chromium
from harness import REPOSITORY, eventually, main
from monitors import Monitor
from stand_in_worker import StandInWorker

PICTURES = REPOSITORY / ".build/screenshots"
HOSTILE = "</td><script>alert(1)</script><img src=x onerror=alert(2)> \"'&amp;"


def fill(worker: StandInWorker, strategies: list[str], minutes: int = 50) -> None:
    """An hour of trading, most of it good."""
    now = time.time()
    number = 0
    for minute in range(minutes, 0, -1):
        for strategy in strategies:
            for part in range(1 + minute % 4):
                number += 1
                at = now - minute * 60 + part
                began = at - 0.02 - (number % 7) * 0.004
                name = f"d-{number}"
                if number % 11 == 0:
                    worker.say(
                        *(strategy, name, "failed", "rejected"),
                        began=began,
                        at=at,
                        message="insufficient buying power",
                    )
                elif number % 29 == 0:
                    worker.say(strategy, name, "failed", None, at=at, reason="expired")
                elif number % 23 == 0:
                    worker.say(strategy, name, "unknown", "submitted", began=began, at=at)
                    worker.say(strategy, name, "success", began=began, at=at + 2)
                else:
                    worker.say(strategy, name, "pending", "submitted", began=began, at=at)
                    worker.say(strategy, name, "success", began=began, at=at + 0.4 + minute % 3)


@contextlib.contextmanager
def a_page() -> Iterator[tuple[Chromium, Monitor, list[StandInWorker]]]:
    with contextlib.ExitStack() as stack:
        browser = stack.enter_context(Chromium())
        workers = [stack.enter_context(StandInWorker(name)) for name in ("p0", "p1", "p2")]
        for worker, names in zip(workers, (["mean-rev", "breakout"], ["crypto-grid"], ["pairs"])):
            fill(worker, names)
        flags = [flag for worker in workers for flag in worker.flag]
        monitor = stack.enter_context(Monitor(*flags))
        for worker in workers:
            monitor.wait_for_seq(worker.partition, len(worker.bodies))
        browser.screen(1280, 900)
        browser.open(monitor.url + "/")
        eventually("the page is filled", lambda: browser.count("#feed tbody tr") >= 50)
        eventually("the charts are drawn", lambda: browser.count("#chart-results rect") > 20)
        yield browser, monitor, workers


def test_its_files_name_nothing_elsewhere_and_make_no_html_of_text() -> None:
    with StandInWorker("p0") as worker, Monitor(*worker.flag) as monitor:
        page = monitor.ask("/")[2].decode()
        for name in re.findall(r'(?:src|href)="(/[^"]*)"', page):
            assert monitor.ask(name)[0] in (200, 503), name
        script = monitor.ask("/monitor.js")[2].decode()
        style = monitor.ask("/monitor.css")[2].decode()
        for text in [page, script.replace("http://www.w3.org/2000/svg", ""), style]:
            assert not re.search(r"(?:https?:)?//[a-z]", text), "an address elsewhere"
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]:
            assert word not in script, word
        assert not re.search(r"\son[a-z]+=|\sstyle=|<style", page)


def test_it_shows_what_the_workers_told_and_nothing_it_is_told_runs() -> str:
    with a_page() as (browser, monitor, workers):
        assert browser.text("#verdict") == "all 3 partitions well"
        totals = workers[0].totals()
        shown = browser.text('[data-partition="p0"] [data-name="success"]').replace(",", "")
        assert int(shown) == sum(one["success"] for one in totals.values()), shown
        row = '#strategies tr[data-strategy="breakout"] [data-name="failed"]'
        assert browser.text(row) == str(totals["breakout"]["failed"])
        assert browser.count("#chart-answer path.p50") == 1
        ticks = [
            browser.evaluate(f"document.querySelectorAll('#chart-results text')[{at}].textContent")
            for at in range(3)
        ]
        assert int(ticks[0]) == 0 and 2 * int(ticks[1]) == int(ticks[2]), ticks
        assert "insufficient buying power" in browser.text("#failures")

        # A live outcome arrives by itself, with a message that would like to run.
        began = time.monotonic()
        workers[1].say("crypto-grid", "evil-1", "failed", "rejected", message=HOSTILE)
        eventually("it is in the feed", lambda: "evil-1" in browser.text("#feed tbody tr"))
        seconds = time.monotonic() - began
        assert HOSTILE in browser.text("#feed tbody tr td.text")
        assert browser.count("img") == 0 and browser.count("body script") == 0

        # Its whole story, on a click.
        browser.click("#feed tbody tr button")
        eventually("the story", lambda: "final" in browser.text("#story-body"))
        assert browser.text("#story-title") == "crypto-grid:evil-1"
        assert HOSTILE in browser.text("#story-body")
        browser.screenshot(PICTURES / "story.png")
        browser.click("#story-close")
        assert browser.evaluate("document.getElementById('story').open") is False

        # One strategy, by its row.
        browser.click('#strategies tr[data-strategy="breakout"] button')
        eventually(
            "only this strategy",
            lambda: browser.text(".scope") == "of p0 · breakout only"
            and "mean-rev" not in browser.text("#feed tbody")
            and browser.count("#feed tbody tr") > 10,
        )
        browser.click("#filters button[type=reset]")
        eventually("all again", lambda: "evil-1" in browser.text("#feed"))

        # Filters narrow the feed, and charts and failures with it.
        browser.evaluate(
            "(() => { const s = document.querySelector('select[name=result]'); s.value = 'unknown';"
            " s.dispatchEvent(new Event('input', {bubbles: true})) })()"
        )
        unknown = "#feed tbody tr td.r-unknown"
        eventually(
            "only unknown ones",
            lambda: 0 < browser.count(unknown) == browser.count("#feed tbody tr"),
        )
        workers[0].say("mean-rev", "quiet-1", "success")
        monitor.wait_for_seq("p0", len(workers[0].bodies))
        time.sleep(1.5)
        assert "quiet-1" not in browser.text("#feed")
        browser.click("#filters button[type=reset]")
        eventually("all again", lambda: "quiet-1" in browser.text("#feed"))

        assert not browser.complaints, browser.complaints
        elsewhere = [url for url in browser.requests if not url.startswith(monitor.url + "/")]
        assert set(elsewhere) <= {"about:blank"}, elsewhere
        return f"a live outcome is seen after {seconds:.1f} s"


def test_it_shows_at_a_glance_what_is_wrong() -> None:
    with a_page() as (browser, monitor, workers):
        workers[0].say("mean-rev", "lost-1", "unknown", "submitted")
        eventually("what is not known yet", lambda: "lost-1" in browser.text("#open"))
        workers[0].beats = {"pending": 12, "oldest_pending_ms": 95_000, "unknown": 2}
        workers[1].beats = {
            "halted": ["all"],
            "halts": [
                {
                    "scope": "all",
                    "hold": False,
                    "reason": "<i>news</i>",
                    "by": "alice@host",
                    "at": "2026-11-22T14:30:00.000000Z",
                }
            ],
        }
        eventually("who has halted", lambda: "alice@host" in browser.text('[data-partition="p1"]'))
        assert "<i>news</i>" in browser.text('[data-partition="p1"]')
        eventually("what is unknown", lambda: browser.count("dd.hot") == 2)
        assert browser.text("#verdict").startswith("look at p0, p1")
        workers[2].ending.set()
        eventually("p2 is gone", lambda: browser.text("#verdict") == "not heard: p2")
        assert browser.count('.card.down[data-partition="p2"]') == 1
        browser.screenshot(PICTURES / "trouble.png")
        monitor.program.kill()
        eventually(
            "the monitor itself is gone",
            lambda: "does not answer" in browser.text("#trouble")
            and browser.text("#verdict") == "not known",
        )


def test_it_is_readable_in_the_dark_and_on_a_phone() -> None:
    with a_page() as (browser, _, workers):
        workers[0].say("mean-rev", "long", "failed", "rejected", message="x" * 250 + HOSTILE)
        eventually("it is in the feed", lambda: "long" in browser.text("#feed tbody tr"))
        for name, width, height, dark in [
            ("desk-light", 1280, 900, False),
            ("desk-dark", 1280, 900, True),
            ("phone-light", 390, 844, False),
            ("phone-dark", 390, 844, True),
        ]:
            browser.screen(width, height, dark=dark)
            time.sleep(0.8)
            browser.screenshot(PICTURES / f"{name}.png", whole=True)
            overflow = browser.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert overflow <= 0, (name, overflow)
            ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
            assert ground == ("rgb(17, 20, 24)" if dark else "rgb(246, 247, 249)"), ground
        browser.click("#feed tbody tr button")
        eventually("the story", lambda: "final" in browser.text("#story-body"))
        browser.screenshot(PICTURES / "phone-story.png")
        box = browser.evaluate(
            "(() => { const r = document.getElementById('story').getBoundingClientRect();"
            " return [r.left, r.right] })()"
        )
        assert box[0] >= 0 and box[1] <= 390, box
        assert not browser.complaints, browser.complaints


if __name__ == "__main__":
    main(globals())
