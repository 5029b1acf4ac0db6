#!/bin/sh
# Rebuilds raft.wasm in a temporary folder and compares it with the committed file and hash.
# Exit 0 and "skipped: ..." where Go or the pinned toolchain cannot be had; exit 1 when anything differs.
set -eu
cd "$(dirname "$0")"
committed=$(cut -d' ' -f1 raft.wasm.sha256)
present=$(sha256sum raft.wasm | cut -d' ' -f1)
if [ "$committed" != "$present" ]; then
  echo "raft.wasm has SHA-256 $present, raft.wasm.sha256 says $committed" >&2
  exit 1
fi
if ! command -v go > /dev/null 2>&1; then
  echo 'skipped: no Go'
  exit 0
fi
if ! GOTOOLCHAIN=go1.26.8 go version > /dev/null 2>&1; then
  echo 'skipped: no Go toolchain 1.26.8'
  exit 0
fi
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
if ! GOFLAGS=-mod=readonly GOWORK=off GOTOOLCHAIN=go1.26.8 go mod download > "$temporary/download" 2>&1; then
  echo 'skipped: no Go modules in reach'
  exit 0
fi
rebuilt=$(./build.sh "$temporary/raft.wasm")
if [ "$rebuilt" != "$committed" ]; then
  echo "a rebuild has SHA-256 $rebuilt, the committed raft.wasm has $committed" >&2
  exit 1
fi
echo "raft.wasm is reproducible: $rebuilt"
