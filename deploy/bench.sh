#!/usr/bin/env bash
# Measures how fast it is, side by side with a worker written in Python; see `bash deploy/bench.sh --help`,
# and deploy/performance.md for what the figures mean.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=install-tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/install-tools.sh"
cd "$repository"

find_swift
install_packages libzmq3-dev libsqlite3-dev libcurl4-openssl-dev python3-venv strace >&2
make_python >&2
# As released, see deploy/performance.md.
for program in trade-executor trade-benchmark; do
    swift build -c release --static-swift-stdlib --product "$program" >&2
done
exec .build/release/trade-benchmark "$@"
