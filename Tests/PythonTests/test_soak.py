"""Whether the soak's checks can fail: each bug that is planted in the evidence must be found."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys

from harness import binaries, main
from checks import BUGS

# What the soak must say about each.
FINDINGS = {
    "lost-decision": "was acknowledged and is not in the database",
    "second-post": "was sent twice",
    "strange-body": r"sent \{.*\} , stored \{",
    "dropped-outcome": r"the follower got .* where .* is stored",
    "flipped-result": r"End\(result='failed'.*, at the broker filled with",
}


def test_every_planted_bug_is_found() -> str:
    script = pathlib.Path(__file__).with_name("soak.py")
    flags = ["3", "--seed=1", "--kill-every=60", "--per-mille=0"]
    for bug in BUGS:
        done = subprocess.run(
            [sys.executable, str(script), str(binaries()), *flags, f"--plant={bug}"],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 1, (bug, done.stdout, done.stderr)
        assert re.search(f"VIOLATION .*{FINDINGS[bug]}", done.stdout), (bug, done.stdout)
        kept = pathlib.Path(done.stdout.strip().rsplit(" ", 1)[1])
        assert (kept / "state/trades.db").exists() and (kept / "posts.json").exists(), kept
        shutil.rmtree(kept)
    return f"{len(BUGS)} bugs"


if __name__ == "__main__":
    main(globals())
