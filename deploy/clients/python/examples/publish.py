"""Publishes one decision and prints its acknowledgement; exit code 1 where it is refused.

python3 publish.py DECISION [INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]
"""

import json
import sys

from trade_executor_client import CurveKeys, Decision, Publisher, Refused


def main(decision: str, intake: str = "tcp://127.0.0.1:5555", *key_files: str) -> int:
    keys = CurveKeys.load(*key_files) if key_files else None
    with Publisher(intake, keys) as publisher:
        try:
            ack = publisher.publish(Decision.from_json(json.loads(decision)))
        except Refused as refusal:
            print(json.dumps(refusal.json))
            return 1
    print(json.dumps(ack.json))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
