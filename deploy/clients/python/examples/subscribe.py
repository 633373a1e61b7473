"""Prints a strategy's outcomes, each once and in order, and keeps its position in a file.

python3 subscribe.py STRATEGY POSITION_FILE [OUTCOMES INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]
"""

import json
import sys

from trade_executor_client import CurveKeys, Position, Subscriber


def main(
    strategy: str,
    position_file: str,
    outcomes: str = "tcp://127.0.0.1:5556",
    intake: str = "tcp://127.0.0.1:5555",
    *key_files: str,
) -> None:
    keys = CurveKeys.load(*key_files) if key_files else None
    position = Position.load(position_file)
    with Subscriber(strategy, position, outcomes, intake, keys) as subscriber:
        for outcome in subscriber:
            print(json.dumps(outcome.json), flush=True)
            # Only now: an outcome that was not handled comes again.
            subscriber.position.save(position_file)


if __name__ == "__main__":
    main(*sys.argv[1:])
