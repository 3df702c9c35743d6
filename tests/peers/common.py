"""What the peers share: a hermetic permset."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "access.yaml.example"


def environment(home, **more):
    base = {"PATH": os.environ["PATH"], "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
    return base | {key: str(value) for key, value in more.items()}


def run(permset, args, cwd, **more):
    return subprocess.run(
        [str(permset), *args], cwd=cwd, env=environment(cwd, **more), capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
    )


@contextlib.contextmanager
def serve(permset, world, *flags):
    """Serves a world, made as the starter world if it is not there; yields the variables that point clients at it."""
    command = [str(permset), "sandbox", "serve", "--world", str(world), *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(pathlib.Path(world).parent))
    try:
        variables = {}
        for line in process.stdout:
            name, _, value = line.strip().removeprefix("export ").partition("=")
            variables[name] = value
            if name == "AWS_DEFAULT_REGION":
                break
        assert variables, process.stderr.read()
        yield variables
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0, process.stderr.read()


def edit_world(world, change):
    """Changes a world file that nobody serves."""
    path = pathlib.Path(world)
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def find_terraform_plugins():
    """Version and plugin folder of the newest AWS provider of the 5.x that configurations are written for, unpacked as
    <plugins>/<registry>/<namespace>/<type>/<version>/<platform>/<file>."""
    roots = [
        os.environ.get("TF_PLUGIN_DIR"),
        os.environ.get("TF_PLUGIN_CACHE_DIR"),
        pathlib.Path.home() / ".terraform.d",
        "/usr/local/share/terraform",
        "/usr/share/terraform",
        "/opt",
        "/usr/local",
    ]
    found = []
    for root in map(pathlib.Path, filter(None, roots)):
        for folder, folders, files in os.walk(root):
            if len(pathlib.Path(folder).relative_to(root).parts) >= 8:
                folders.clear()
            found += [pathlib.Path(folder, file) for file in files if file.startswith("terraform-provider-aws_v5.")]
    versions = [(tuple(map(int, re.findall(r"\d+", file.parents[1].name))), file) for file in found if len(file.parents) > 5]
    fitting = [(version, file) for version, file in versions if (5, 100) <= version[:2] < (6,)]
    if not fitting:
        raise FileNotFoundError("no aws provider 5.100 or newer of Terraform in TF_PLUGIN_DIR or the usual folders")
    version, file = max(fitting)
    return ".".join(map(str, version)), file.parents[5]
