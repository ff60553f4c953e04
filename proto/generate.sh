#!/usr/bin/env bash
# Generates pseudo_service/api/v1 from proto/; run from the repository's root.
# With a folder as argument, generates there instead (to compare in CI).
set -euo pipefail
out="${1:-.}"
python -m grpc_tools.protoc -I proto --python_out="$out" --grpc_python_out="$out" \
  --mypy_out="quiet:$out" --mypy_grpc_out="quiet:$out" \
  proto/pseudo_service/api/v1/*.proto
