#!/usr/bin/env bash
# Generates the stubs of the service and of its client; run from the repository's root.
# With a folder as argument, generates there instead (to compare in CI).
#
# The client's stubs come from an older generator, because the code that it writes
# imports beside every protobuf from 5.27 to 7 (docs/adr/0019-a-client-of-its-own.md).
# Two generators cannot be installed side by side; pip puts the older in a folder of its
# own. It is given by CLIENT_GENERATOR where it is installed already.
set -euo pipefail
out="${1:-.}"
contract=(proto/pseudo_service/api/v1/*.proto)
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

python -m grpc_tools.protoc -I proto --python_out="$out" --grpc_python_out="$out" \
  --mypy_out="quiet:$out" --mypy_grpc_out="quiet:$out" "${contract[@]}"

older="${CLIENT_GENERATOR:-$scratch/generator}"
if [ ! -d "$older/grpc_tools" ]; then
  python -m pip install --quiet --disable-pip-version-check --no-deps \
    --target "$older" grpcio-tools==1.67.0
fi

# The contract: its file names and message names stay the service's, so that both sets of
# stubs describe one and the same file; only the Python modules move into the client.
PYTHONPATH="$older" python -m grpc_tools.protoc -I proto --python_out="$scratch" \
  --grpc_python_out="$scratch" --mypy_out="quiet:$scratch" \
  --mypy_grpc_out="quiet:$scratch" "${contract[@]}"
sed -i \
  -e 's/^from pseudo_service\.api\.v1 import /from pseudo_client.api.v1 import /' \
  -e "s/(DESCRIPTOR, 'pseudo_service\.api\.v1\./(DESCRIPTOR, 'pseudo_client.api.v1./" \
  "$scratch"/pseudo_service/api/v1/*_pb2*.py*
mkdir -p "$out/clients/python/pseudo_client/api/v1"
cp "$scratch"/pseudo_service/api/v1/*_pb2*.py* "$out/clients/python/pseudo_client/api/v1/"

# What a failed call carries: the client's own reading of google.rpc.
PYTHONPATH="$older" python -m grpc_tools.protoc -I clients/python/proto \
  --python_out="$out/clients/python" --mypy_out="quiet:$out/clients/python" \
  clients/python/proto/pseudo_client/api/failures.proto
