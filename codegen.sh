#!/bin/sh
# Writes generated/tinsmith_api from openapi/tinker.yaml and openapi/tinker_wire.proto, with pinned tools in an environment
# of their own.
#
#   ./codegen.sh          write generated/tinsmith_api
#   ./codegen.sh --check  regenerate into a temporary directory and compare; exit 1 on drift
#   ./codegen.sh PATH     take PATH as the new contract: check it, print what it changes, copy it, regenerate
set -eu
cd "$(dirname "$0")"
ENV=.venv-codegen
TARGET=generated/tinsmith_api

if [ ! -x "$ENV/bin/openapi-python-client" ] || [ ! -x "$ENV/bin/ruff" ] || [ ! -x "$ENV/bin/openapi-spec-validator" ] \
    || [ ! -x "$ENV/bin/protoc-gen-mypy" ]; then
    echo "codegen: making $ENV" >&2
    "${PYTHON:-python3}" -m venv "$ENV"
    "$ENV/bin/python" -m pip install -q -r openapi/requirements-codegen.txt
fi
# The generator looks its formatter up on PATH, and so do we: ours must come first.
PATH="$PWD/$ENV/bin:$PATH"
export PATH PYTHONDONTWRITEBYTECODE=1

# generate CONTRACT DIRECTORY: write the package anew into DIRECTORY
generate() {
    log="$WORK/log"
    rm -rf "$2"
    python tools/contract/contract_overlay.py "$1" "$WORK/view.json"
    if ! openapi-python-client generate --path "$WORK/view.json" --config openapi/codegen.yaml --meta none --output-path "$2" \
        --custom-template-path openapi/templates --fail-on-warning >"$log" 2>&1; then
        cat "$log" >&2
        exit 1
    fi
    python tools/contract/contract_finish.py "$1" "$2"
    ruff check --isolated --no-cache --quiet --target-version py311 --line-length 110 \
        --select I,F401 --fix-only "$2"
    ruff format --isolated --no-cache --quiet --target-version py311 --line-length 110 "$2"
    compile_wire "$2"
}

# compile_wire DIRECTORY: add the messages of the binary form to the package in DIRECTORY. The compiler keeps the path of its
# source as the file's name in the process, so it stands below our own package's name there, where no other file does.
compile_wire() {
    rm -rf "$WORK/wire"
    mkdir -p "$WORK/wire/in/tinsmith_api/wire" "$WORK/wire/out"
    cp openapi/tinker_wire.proto "$WORK/wire/in/tinsmith_api/wire/"
    python -m grpc_tools.protoc -I "$WORK/wire/in" --python_out="$WORK/wire/out" --mypy_out="quiet:$WORK/wire/out" \
        tinsmith_api/wire/tinker_wire.proto
    mkdir "$1/wire"
    printf '"""The messages of the binary form, compiled; empty here, so that only their users load protobuf."""\n' \
        >"$WORK/wire/out/tinsmith_api/wire/__init__.py"
    for file in __init__.py tinker_wire_pb2.py tinker_wire_pb2.pyi; do
        { echo "# Written by codegen.sh from openapi/tinker_wire.proto. Do not edit."
          cat "$WORK/wire/out/tinsmith_api/wire/$file"; } >"$1/wire/$file"
    done
}

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM

# replace: put the fresh package where the old one was, in two renames
replace() {
    generate openapi/tinker.yaml "$WORK/tinsmith_api"
    rm -rf "$TARGET.new"
    mkdir -p generated
    cp -R "$WORK/tinsmith_api" "$TARGET.new"
    rm -rf "$TARGET"
    mv "$TARGET.new" "$TARGET"
    echo "codegen: wrote $TARGET"
}

case "${1:-}" in
"")
    replace
    ;;
--check)
    generate openapi/tinker.yaml "$WORK/tinsmith_api"
    if ! diff -ruN -x __pycache__ "$TARGET" "$WORK/tinsmith_api" >"$WORK/drift"; then
        sed -n 1,200p "$WORK/drift" >&2
        echo "codegen: $TARGET is not what openapi/ generates; run ./codegen.sh" >&2
        exit 1
    fi
    echo "codegen: $TARGET is what openapi/ generates"
    ;;
-*)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
*)
    python tools/contract/contract_rules.py "$1"
    python tools/contract/contract_diff.py openapi/tinker.yaml "$1" || echo "codegen: the new contract breaks the old one, see above" >&2
    cp "$1" "$WORK/tinker.yaml"
    generate "$WORK/tinker.yaml" "$WORK/trial"
    cp "$WORK/tinker.yaml" openapi/tinker.yaml
    replace
    ;;
esac
