#!/usr/bin/env bash
# Kills and restarts the worker for as long as asked, while strategies publish and the broker fails at random, and
# checks on the real processes that nothing is lost, sent twice or told wrongly.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: bash deploy/soak.sh [SECONDS] [--seed=N] [--kill-every=S] [--per-second=N] [--per-mille=N]

Installs what is missing, builds, and runs for SECONDS (60 unless said otherwise): four strategies publish, two
subscribers follow, one of them frozen now and then; the simulated broker fails at random, rejects, cancels and replaces
orders, hides new ones and hangs up; the worker is killed, stopped and frozen. At the end everything comes to rest, and
worker, broker, publishers and subscribers must agree.

  --seed=N        of all that is random; drawn unless given. The moments differ from run to run all the same.
  --kill-every=S  how long the worker lives on average: 5 seconds
  --per-second=N  decisions per second, of all strategies together: 100
  --per-mille=N   requests to the broker that fail: 30 of 1000

Exit code 1: something did not hold; it says what, and keeps the directory with all evidence.
USAGE
}

for argument in "$@"; do
    case $argument in
    -h | --help)
        usage
        exit
        ;;
    --seed=* | --kill-every=* | --per-second=* | --per-mille=*) ;;
    *)
        if [[ ! $argument =~ ^[0-9]+$ ]]; then
            usage >&2
            exit 64
        fi
        ;;
    esac
done

# shellcheck source-path=SCRIPTDIR source=install-tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/install-tools.sh"
cd "$repository"

find_swift
install_packages libzmq3-dev libsqlite3-dev libcurl4-openssl-dev sqlite3 python3-venv
make_python
step "building"
swift build -c release
step "soaking"
exec "$python" Tests/PythonTests/soak.py .build/release "$@"
