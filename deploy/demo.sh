#!/usr/bin/env bash
# Builds the worker and the simulated broker, and shows them at work. Needs no account. Arguments go to the demo.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=install-tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/install-tools.sh"

find_swift
install_packages libzmq3-dev libsqlite3-dev libcurl4-openssl-dev
for product in trade-executor alpaca-simulator; do
    step "building $product (the first time takes some minutes)"
    swift build --package-path "$repository" -c release --static-swift-stdlib --product "$product"
done
exec "$repository/.build/release/trade-executor" demo "$@"
