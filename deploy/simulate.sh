#!/usr/bin/env bash
# Runs the worker's logic in thousands of simulated worlds; see `bash deploy/simulate.sh --help`.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=install-tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/install-tools.sh"
cd "$repository"

find_swift
install_packages libzmq3-dev libsqlite3-dev libcurl4-openssl-dev
swift build -c release --product trade-simulation >&2
exec .build/release/trade-simulation "$@"
