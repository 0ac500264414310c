#!/bin/sh
# Writes generated/tinsmith_api from openapi/tinker.yaml, openapi/runtime and openapi/tinker_wire.proto, with pinned tools
# in an environment of their own, which is renewed when its list of packages changed.
#
#   ./codegen.sh          write generated/tinsmith_api
#   ./codegen.sh --check  regenerate into a temporary directory and compare; exit 1 on drift
#   ./codegen.sh PATH     take PATH (YAML or JSON) as the new contract: check it, print what it changes, copy it, regenerate
#   ./codegen.sh --env    only make or renew the environment
#
# --force goes on where a change breaks clients or the facade. What happens stands in tools/contract/contract_codegen.py.
set -eu
ROOT=$(CDPATH='' cd "$(dirname "$0")" && pwd)
ENV="$ROOT/.venv-codegen"
WANTED="$ROOT/openapi/requirements-codegen.txt"

# An interpreter that was removed leaves a link that leads nowhere, which is not executable.
if ! [ -x "$ENV/bin/python" ] || ! cmp -s "$WANTED" "$ENV/requirements.txt"; then
    echo "codegen: making or renewing .venv-codegen" >&2
    [ -x "$ENV/bin/python" ] || "${PYTHON:-python3}" -m venv --clear "$ENV"
    "$ENV/bin/python" -m pip install -q -r "$WANTED"
    cp "$WANTED" "$ENV/requirements.txt"
fi
[ "${1:-}" != --env ] || exit 0
PYTHONDONTWRITEBYTECODE=1 exec "$ENV/bin/python" "$ROOT/tools/contract/contract_codegen.py" "$@"
