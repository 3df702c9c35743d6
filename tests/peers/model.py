"""The constraint tables of the sandbox are those of AWS's own service models, as botocore ships them (Apache-2.0).

    python3 tests/peers/model.py     writes src/sandbox/model/*.json anew

Only what inputs need is kept: which members there are, which are required, and the constraints of their shapes; and the names of the
errors of each operation.
"""

import json
import pathlib
import re

import botocore
import botocore.session

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "src" / "sandbox" / "model"
SERVICES = ["sso-admin", "identitystore", "organizations"]
NUMBERS = {"integer", "long", "double", "float", "timestamp", "boolean", "blob"}


def reduced(shape, reach):
    """One shape as the table has it; `reach` is told of the shapes below it."""
    meta, kind = shape.metadata, shape.type_name
    entry = {"kind": kind}
    if meta.get("document"):
        return {"kind": "document"}
    if kind == "structure":
        entry["members"] = {name: reach(member) for name, member in shape.members.items()}
        if shape.required_members:
            entry["required"] = list(shape.required_members)
        if getattr(shape, "is_tagged_union", False):
            entry["union"] = True
    elif kind == "list":
        entry["of"] = reach(shape.member)
    elif kind == "map":
        entry["of"] = reach(shape.value)
        entry["key"] = reach(shape.key)
    elif kind == "string":
        if getattr(shape, "enum", None):
            entry["enum"] = list(shape.enum)
        if meta.get("pattern"):
            entry["pattern"] = meta["pattern"]
    elif kind not in NUMBERS:
        raise ValueError(f"{shape.name}: unknown kind {kind}")
    for bound in ("min", "max"):
        if bound in meta:
            entry[bound] = meta[bound]
    return entry


def table(service):
    model = botocore.session.get_session().get_service_model(service)
    shapes = {}

    def reach(shape):
        if shape.name not in shapes:
            shapes[shape.name] = None  # shapes may contain themselves
            shapes[shape.name] = reduced(shape, reach)
        return shape.name

    operations, errors = {}, {}
    for name in model.operation_names:
        operation = model.operation_model(name)
        operations[name] = reach(operation.input_shape) if operation.input_shape else None
        errors[name] = sorted(error.name for error in operation.error_shapes)
    line = lambda entries: ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(entries.items()))
    version = re.sub(r"\s", "", model.metadata["apiVersion"])
    return (
        f'{{\n  "source": "service model {service} {version} of botocore {botocore.__version__}, Apache-2.0; made by tests/peers/model.py",\n'
        f'  "operations": {{\n{line(operations)}\n  }},\n  "errors": {{\n{line(errors)}\n  }},\n  "shapes": {{\n{line(shapes)}\n  }}\n}}\n'
    )


def check_the_constraint_tables_are_those_of_the_service_models(_permset):
    for service in SERVICES:
        committed = (FOLDER / f"{service}.json").read_text()
        made = re.search(r"of botocore ([0-9.]+),", committed)[1]
        if made == botocore.__version__:
            assert table(service) == committed, f"{service}: run tests/peers/model.py"
        else:
            print(f"model: {service}: the table is of botocore {made}, this is {botocore.__version__}: compared by operations only")
            known, here = json.loads(committed)["operations"], json.loads(table(service))["operations"]
            assert set(known) & set(here), service


if __name__ == "__main__":
    for name in SERVICES:
        (FOLDER / f"{name}.json").write_text(table(name))
