# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Low-level client of the training API: models, and for each operation how to build its request and parse its answer.

It sends nothing and imports no HTTP library. `operations` lists what there is; `contract.json` is the contract itself.
"""
