"""An independent validator holds the published schemas against what permset reads and writes."""

import json
import tempfile

import jsonschema
import yaml

from common import EXAMPLE, ROOT, run


def validator(name):
    schema = json.loads((ROOT / "schema" / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


class Loader(yaml.SafeLoader):
    """YAML 1.2's idea of scalars, as far as it matters: no dates, no octal ids."""


Loader.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in pairs if not tag.endswith((":timestamp", ":bool", ":int", ":float"))]
    for key, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path):
    value = yaml.load(path.read_text(encoding="utf-8-sig"), Loader)
    if isinstance(value, dict) and str(value.get("version")) == "1":
        value["version"] = 1
    return value


def check_every_valid_access_file_fits_the_schema(_permset):
    access = validator("access")
    files = [EXAMPLE, *sorted((ROOT / "tests/access/valid").glob("*.yaml")), *sorted((ROOT / "tests/scenarios").glob("*/access.yaml"))]
    assert len(files) > 20
    for path in files:
        errors = [error.message for error in access.iter_errors(load(path))]
        assert not errors, (path, errors)


def check_what_a_schema_can_refuse_it_refuses(_permset):
    access = validator("access")
    wrong = """no-version no-scope version-2 unknown-top-field unknown-set-field unknown-assignment-field wrong-types null-values
        star-without-list scope-word not-a-mapping""".split()
    for name in wrong:
        assert list(access.iter_errors(load(ROOT / "tests/access/invalid" / f"{name}.yaml"))), name


def check_every_recorded_result_fits_its_schema(_permset):
    plan, drift = validator("plan"), validator("drift")
    for folder in sorted((ROOT / "tests/scenarios").iterdir()):
        plan.validate(json.loads((folder / "plan.json").read_text()))
        drift.validate(json.loads((folder / "drift.json").read_text()))


def check_a_live_run_fits_the_schemas(permset):
    with tempfile.TemporaryDirectory() as home:
        args = ["-q", "--sandbox=world.json", "-f", str(EXAMPLE)]
        validator("plan").validate(json.loads(run(permset, [*args, "plan", "--format", "json"], home).stdout))
        validator("drift").validate(json.loads(run(permset, [*args, "drift", "--format", "json", "--show-unmanaged"], home).stdout))
        applied = run(permset, [*args, "apply", "--auto-approve", "--format", "json"], home)
        assert applied.returncode == 0, applied.stderr
        events = [json.loads(line) for line in applied.stdout.splitlines()]
        assert len(events) > 10
        for event in events:
            validator("apply").validate(event)
