#!/bin/sh
# Builds raft.wasm reproducibly and prints its SHA-256. Usage: build.sh [output file]
# The toolchain is pinned by name: another Go version gives another hash. No path, user name, time or
# version-control state enters the file.
set -eu
cd "$(dirname "$0")"
output=${1:-raft.wasm}
env GOTOOLCHAIN=go1.26.8 GOFLAGS=-mod=readonly GOWORK=off CGO_ENABLED=0 GOOS=wasip1 GOARCH=wasm GOWASM= GOEXPERIMENT= \
  go build -trimpath -buildvcs=false -buildmode=c-shared -ldflags='-s -w -buildid=' -o "$output" .
hash=$(sha256sum "$output" | cut -d' ' -f1)
if [ "$#" -eq 0 ]; then
  printf '%s  raft.wasm\n' "$hash" > raft.wasm.sha256
fi
printf '%s\n' "$hash"
