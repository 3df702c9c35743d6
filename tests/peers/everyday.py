"""A person and an administrator with the guide in hand: the AWS CLI does what it says, and permset says what it is worth.

Each step is taken with the AWS CLI against a served world, and beside it `permset profiles`, `doctor` and `why` are asked. The person
has no keys, and no home but their own. Whether permset is right about a machine is for the AWS CLI to say.
"""

import contextlib
import http.client
import http.server
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import threading
import urllib.parse

from aws_cli import ACCOUNT, NO_ACCESS, START, Person, apply, aws, shown
from common import EXAMPLE, environment, run, serve

SET, BOB, ALICE = "JitsiPlatformAccess", "bob@example.com", "alice@example.com"
PROFILE = f"jitsi-hosting-{SET}"
NAME = ("--name", "{account}-{permission_set}")
SETS = ("AWSReadOnlyAccess", "AdministratorAccess", SET)
REASON = "On call for the recording service, OPS-1501"
QUESTION = ("why", "--user", BOB, "--account", "jitsi-hosting", "--permission-set", SET)
OTHER = "https://other.awsapps.com/start"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
LOGIN = f"aws sso login --profile {PROFILE}"
# What somebody has in `~/.aws/config` for years: blanks at ends of lines, comments everywhere, no line end at the last.
MINE = """# Mine. Ask before you touch it.\t
[default]
region = eu-west-1   

; the old way, until the migration is through
[profile legacy]
role_arn = arn:aws:iam::999999999999:role/Operations
source_profile = default
s3 =
    max_concurrent_requests = 20
# the end"""


# ---------------------------------------------------------------- what may not be told


class Tap(http.server.BaseHTTPRequestHandler):
    """Passes requests on, and keeps what is answered: credentials of a role are told once, and to nobody else."""

    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        with contextlib.closing(http.client.HTTPConnection(self.server.target, timeout=60)) as connection:
            connection.request(self.command, self.path, body, dict(self.headers) | {"Host": self.server.target})
            answer = connection.getresponse()
            said = answer.read()
        self.server.seen.append((self.command, self.path, said))
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = pass_on

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def tapped(url):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tap) as server:
        server.target, server.seen = urllib.parse.urlsplit(url).netloc, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def secrets(value):
    """All that is secret in a value of JSON."""
    if isinstance(value, list):
        return set().union(*map(secrets, value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(secrets, value.values()))
    words = {"accesstoken", "clientsecret", "refreshtoken", "secretaccesskey", "sessiontoken"}
    return found | {text for name, text in value.items() if name.lower() in words and isinstance(text, str)}


def secrets_of_file(content):
    """All that is secret in a file of `~/.aws`, or in an answer."""
    keys = re.findall(rb"(?im)^\s*aws_(?:secret_access_key|session_token)\s*=\s*(\S+)", content)
    with contextlib.suppress(ValueError):
        return secrets(json.loads(content))
    return {key.decode() for key in keys}


def files_below(folder):
    return {str(path): path.read_bytes() for path in sorted(pathlib.Path(folder).rglob("*")) if path.is_file()}


# ---------------------------------------------------------------- the two people


def told(done):
    return f"permset {shlex.join(map(str, done.args[1:]))}\nexit code {done.returncode}\n{done.stdout}{done.stderr}"


class Admin:
    """Somebody with keys, and the access file in a folder of their own."""

    def __init__(self, permset, folder, env):
        self.permset, self.home, self.env = permset, pathlib.Path(folder) / "admin", env
        self.home.mkdir()
        shutil.copy(EXAMPLE, self.home / "access.yaml")

    def run(self, *args, expect=0, **more):
        done = run(self.permset, args, self.home, **self.env, **more)
        assert done.returncode == expect, f"expected exit code {expect}\n{told(done)}"
        return done.stdout


class Colleague(Person):
    """A person of the guide who has permset as well, and the profiles that the administrator made for them."""

    # What doctor is told, all ways: nothing secret may be in any.
    FORMS = ((), ("--format", "json"), ("-v", "-v"), ("-v", "-v", "--log-format", "json", "--format", "json"))

    def __init__(self, permset, folder, env, user, tap):
        super().__init__(folder, env, user, SET)
        self.permset, self.tap, self.profile = permset, tap, PROFILE
        self.config = self.home / ".aws" / "config"

    def write(self, config):
        self.config.write_text(config)

    def cli(self, *args, **more):
        """The AWS CLI, which is not to remember the role's credentials: doctor does not look at those."""
        shutil.rmtree(self.home / ".aws/cli/cache", ignore_errors=True)
        return aws(self.home, self.env | more, *args)

    def identity(self, *args, expect=0, **more):
        done = self.cli("sts", "get-caller-identity", *args, **more)
        assert done.returncode == expect, f"expected exit code {expect}\n{shown(done)}"
        return json.loads(done.stdout) if expect == 0 else done.stderr

    def kept(self):
        """The file of the token, and what is in it."""
        files = [(file, json.loads(file.read_text())) for file in (self.home / ".aws/sso/cache").glob("*.json")]
        ((file, token),) = [(file, value) for file, value in files if "accessToken" in value]
        return file, token

    def doctor(self, *args, expect, **more):
        """What doctor says as JSON, after asking it in every form, none of which may tell a secret or touch a file."""
        before, self.tap.seen = files_below(self.home / ".aws"), []
        variables = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.tap.server_port}"} | more
        text, as_json, loud, loud_json = (
            run(self.permset, ["doctor", *args, *form], self.home, **variables) for form in self.FORMS
        )
        assert files_below(self.home / ".aws") == before, f"doctor has changed something\n{told(text)}"
        changing = [(method, path) for method, path, _ in self.tap.seen if method != "GET" and path != "/"]
        assert not changing, f"doctor has asked for something to be changed: {changing}"

        hidden = {more[name] for name in more if "SECRET" in name or "TOKEN" in name}
        for content in [*before.values(), *(said for _, _, said in self.tap.seen)]:
            hidden |= secrets_of_file(content)
        assert all(len(secret) >= 16 for secret in hidden), "what is secret is too short to be looked for"
        for done in (text, as_json, loud, loud_json):
            assert done.returncode == expect, f"expected exit code {expect}\n{told(done)}"
            leaked = [secret for secret in hidden if secret in done.stdout + done.stderr]
            assert not leaked, f"{told(done)}\nthese secrets are told: {leaked}"

        # All say the same, and it is one thing.
        found, again = json.loads(as_json.stdout), json.loads(loud_json.stdout)
        checks = found["checks"]
        assert [(it["name"], it["verdict"]) for it in checks] == [(it["name"], it["verdict"]) for it in again["checks"]]
        broken = [it for it in checks if it["verdict"] == "broken"]
        assert found["healthy"] is (expect == 0) is (not broken), told(as_json)
        for check in checks:
            assert (check["next"] is not None) == (check["verdict"] in ("broken", "warning")), check
        for done in (text, loud):
            for check in (it for it in checks if it["name"] != "clock"):
                for words in filter(None, (check["evidence"], check["next"])):
                    assert words in done.stdout, f"{words!r} is not in\n{told(done)}"
            skipped = any(it["verdict"] == "skipped" for it in checks)
            fine = "not known yet: see the line above that is marked with !\n" if skipped else "you get in\n"
            end = f"you do not get in: {broken[-1]['evidence']}\n\nnext: {broken[0]['next']}\n" if broken else fine
            # The clock ticks between two runs.
            end = end if not broken or broken[-1]["name"] != "clock" else ""
            assert f"\n\n{end}" in done.stdout, f"the end is not {end!r}\n{told(done)}"
        self.credentials_were_told = any(b"secretAccessKey" in said for _, _, said in self.tap.seen)
        return {check["name"]: check for check in checks} | {"broken": broken[0]["name"] if broken else None}


def assert_check(found, name, verdict, evidence, following):
    check = found[name]
    good = check["verdict"] == verdict and evidence in check["evidence"] and following in (check["next"] or "")
    assert good, f"{name} was expected to be {verdict} with {evidence!r} and then {following!r}:\n{json.dumps(found, indent=1)}"


@contextlib.contextmanager
def people(permset):
    with tempfile.TemporaryDirectory() as home, serve(permset, f"{home}/world.json", "--job-seconds", "0.2") as env:
        with tapped(env["AWS_ENDPOINT_URL"]) as tap:
            admin = Admin(permset, home, env)
            yield admin, lambda user: Colleague(permset, home, env, user, tap)


# ---------------------------------------------------------------- the profile


def check_profiles_are_written_beside_what_is_there(permset):
    with people(permset) as (admin, colleague):
        bob = colleague(BOB)
        folder = bob.config.parent
        bob.write(MINE)
        bob.config.chmod(0o640)
        written = ("profiles", "-f", EXAMPLE, *NAME, "--write")
        said = admin.run(*written, AWS_CONFIG_FILE=bob.config)
        text = bob.config.read_text()
        assert text.startswith(f"{MINE}\n"), f"what was there has not stayed as it was:\n{text}"
        assert bob.config.stat().st_mode & 0o777 == 0o640
        backup = re.search(r"; what was there is in (\S+)$", said, re.MULTILINE)
        assert backup and pathlib.Path(backup[1]).read_text() == MINE, said
        assert pathlib.Path(backup[1]).parent == folder and pathlib.Path(backup[1]).stat().st_mode & 0o777 == 0o640
        added = "".join(line[1:] + "\n" for line in said.splitlines() if re.match(r"\+(?!\+\+)", line))
        assert added.endswith(text.removeprefix(f"{MINE}\n").lstrip("\n")), f"the difference that is shown is another:\n{said}"

        before = files_below(folder)
        again = admin.run(*written, AWS_CONFIG_FILE=bob.config)
        assert again == f"{bob.config} has all {len(SETS) + 1} sections already\n", again
        assert files_below(folder) == before, "a second time something was written"

        # The AWS CLI reads what was written, and what was there.
        def read(*args):
            done = bob.cli("configure", *args)
            assert done.returncode == 0, shown(done)
            return done.stdout.splitlines()

        names = [f"jitsi-hosting-{name}" for name in SETS]
        assert sorted(read("list-profiles")) == sorted(["default", "legacy", *names]), read("list-profiles")
        for name, one in zip(names, SETS, strict=True):
            assert read("get", "sso_role_name", "--profile", name) == [one]
        assert read("get", "sso_account_id", "--profile", PROFILE) == [ACCOUNT]
        assert read("get", "region", "--profile", PROFILE) == ["eu-central-1"]
        assert read("get", "s3.max_concurrent_requests", "--profile", "legacy") == ["20"]
        assert read("get", "region", "--profile", "default") == ["eu-west-1"]


def check_profiles_shows_no_secret_that_stands_beside(permset):
    """Static keys may stand in the config file as well, and the difference is what people paste into a ticket."""
    with people(permset) as (admin, colleague):
        bob = colleague(BOB)
        bob.write(f"{MINE}\n[profile robot]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {SECRET}\n")
        done = run(permset, ["profiles", "--write"], admin.home, **admin.env, AWS_CONFIG_FILE=bob.config)
        assert done.returncode == 0, told(done)
        assert SECRET in bob.config.read_text()
        assert SECRET not in done.stdout + done.stderr, told(done)


# ---------------------------------------------------------------- from the first error to the role


def patched(folder, command, patch):
    """The example after a patch was applied to it, in a folder where it is called access.yaml."""
    folder.mkdir()
    shutil.copy(EXAMPLE, folder / "access.yaml")
    done = subprocess.run(command, cwd=folder, input=patch, capture_output=True, text=True, timeout=60, env=environment(folder))
    assert done.returncode == 0, f"{shlex.join(command)}: {done.stdout}{done.stderr}\n{patch}"
    return (folder / "access.yaml").read_text()


def check_the_common_issue_from_the_error_to_the_role(permset):
    with people(permset) as (admin, colleague):
        bob = colleague(BOB)
        bob.write(admin.run("profiles", "-f", EXAMPLE, *NAME))
        on_profile = ("--profile", PROFILE)

        # Nobody has signed in.
        found = bob.doctor(*on_profile, expect=2)
        assert found["broken"] == "sign-in" and found["sign-in"]["next"] == LOGIN, found
        assert found["portal"]["verdict"] == "skipped", found
        bob.identity(*on_profile, expect=255)

        # The common issue: that works, and nothing else does.
        bob.login("--no-browser", "--use-device-code")
        assert NO_ACCESS in bob.identity(*on_profile, expect=254)
        found = bob.doctor(*on_profile, expect=2)
        assert found["sign-in"]["verdict"] == "ok", found
        assert_check(found, "account", "broken", ACCOUNT, "permset why")
        assert_check(found, "role", "broken", SET, "permset why")
        assert_check(found, "credentials", "broken", "No access", "permset why")
        # What it says to do next can be typed, by somebody who may look.
        following = shlex.split(found["credentials"]["next"])
        assert following[0] == "permset" and "YOU" in following, following
        admin.run(*(BOB if word == "YOU" else word for word in following[1:]))

        # The administrator sees the same, and what to do.
        admin.run(*QUESTION, "--expect", "no-access")
        admin.run(*QUESTION, "--expect", "access", expect=2)
        request = admin.run(*QUESTION, "--request", "--reason", REASON)
        for label, words in (("user", BOB), ("account", f"{ACCOUNT} (jitsi-hosting)"), ("permission set", SET), ("justification", REASON)):
            assert re.search(rf"^  {label} +{re.escape(words)}$", request, re.MULTILINE), f"{label} is not {words}:\n{request}"
        answer = json.loads(admin.run(*QUESTION, "--reason", REASON, "--format", "json"))
        assert answer["verdict"] == "no_access" and answer["patch"], answer
        # As a patch, and as the whole message in which it stands.
        text = patched(admin.home / "git", ["git", "apply", "-"], answer["patch"])
        assert patched(admin.home / "patch", ["patch", "-p1", "--fuzz=0"], request) == text
        assert [line for line in EXAMPLE.read_text().splitlines() if line not in text.splitlines()] == []
        (admin.home / "access.yaml").write_text(text)
        waiting = json.loads(admin.run(*QUESTION, "--format", "json", "--expect", "no-access"))
        assert "not applied" in waiting["message"] and waiting["patch"] is None, waiting
        apply(permset, admin.home, admin.env, admin.home / "access.yaml")

        # And bob is who the AWS CLI says he is, by the sign-in that he had.
        identity = bob.identity(*on_profile)
        found = bob.doctor(*on_profile, expect=0)
        assert bob.credentials_were_told, "no credentials came by, so none could be told"
        for key in ("UserId", "Account", "Arn"):
            assert f"{key} {identity[key]}" in found["credentials"]["evidence"], (identity, found)
        assert identity["Account"] == ACCOUNT and identity["Arn"].endswith(f"/{BOB}"), identity
        answer = json.loads(admin.run(*QUESTION, "--format", "json", "--expect", "access"))
        assert [route["through"]["name"] for route in answer["routes"]] == [BOB], answer
        admin.run(*QUESTION, "--expect", "no-access", expect=2)
        bob.doctor(expect=0, AWS_PROFILE=PROFILE)


# ---------------------------------------------------------------- what can be wrong on a machine


@contextlib.contextmanager
def bob_gets_in(permset):
    """The administrator, and bob with a profile and a sign-in that work."""
    with people(permset) as (admin, colleague):
        text = EXAMPLE.read_text()
        assert text.count(f"users: [{ALICE}]") == 1
        (admin.home / "access.yaml").write_text(text.replace(f"users: [{ALICE}]", f"users: [{ALICE}, {BOB}]"))
        apply(permset, admin.home, admin.env, admin.home / "access.yaml")
        bob = colleague(BOB)
        bob.write(admin.run("profiles", *NAME))
        bob.login("--no-browser", "--use-device-code")
        yield admin, bob


def check_each_thing_that_can_be_wrong_on_a_machine(permset):
    with bob_gets_in(permset) as (_, bob):
        on_profile = ("--profile", PROFILE)
        bob.identity(*on_profile)
        bob.doctor(*on_profile, expect=0)
        config, (file, token) = bob.config.read_text(), bob.kept()
        section = f"[profile {PROFILE}]\nsso_session = identity-center\nsso_account_id = {ACCOUNT}\nsso_role_name = {SET}\n"
        assert section in config, config

        def changed(before, after):
            assert config.count(before) == 1, f"{before!r} is not once in\n{config}"
            bob.write(config.replace(before, after))

        # The profile: what stands there, what is to stand there, and what the AWS CLI and doctor say of it.
        for before, after, name, evidence, following in (
            (section, section.replace(ACCOUNT, "333333333333"), "account", "333333333333 is not among the accounts",
             f"permset why --user YOU --account 333333333333 --permission-set {SET} --request"),
            (section, section.replace(ACCOUNT, "999999999999"), "account", "999999999999 is not among the accounts",
             "permset why --user YOU"),
            (section, section.replace(f"name = {SET}", "name = JitsiPlatfromAccess"), "role", "JitsiPlatfromAccess is not assigned to you",
             f"sso_role_name = {SET}"),
            (section, section.replace(f"name = {SET}", "name = PowerUserAccess"), "role",
             "these are: AdministratorAccess, JitsiPlatformAccess",
             f"permset why --user YOU --account {ACCOUNT} --permission-set PowerUserAccess --request"),
            (section, section.replace(PROFILE, PROFILE[:-1]), "profile", f"there is no profile `{PROFILE}`",
             f"permset doctor --profile {PROFILE[:-1]}"),
            (section, section.replace(f"sso_account_id = {ACCOUNT}\n", ""), "profile", "lacks `sso_account_id`", "add `sso_account_id`"),
            (section, section.replace("sso_session = identity-center\n", ""), "profile", "no `sso_session`", "add `sso_session`"),
            ("[sso-session identity-center]", "[sso-session other]", "session", "no section [sso-session identity-center]",
             "permset profiles --write"),
            (f"sso_start_url = {START}\n", "", "session", "lacks `sso_start_url`", "add `sso_start_url`"),
        ):  # fmt: skip
            changed(before, after)
            found = bob.doctor(*on_profile, expect=2)
            assert found["broken"] == name, f"{after}: expected {name}\n{json.dumps(found, indent=1)}"
            assert_check(found, name, "broken", evidence, following)
            done = bob.cli("sts", "get-caller-identity", *on_profile)
            assert done.returncode != 0 or ACCOUNT not in done.stdout, f"{after}: the AWS CLI gets in\n{shown(done)}"
        bob.write(config)
        misspelt = f"{PROFILE}s"
        found = bob.doctor("--profile", misspelt, expect=2)
        assert_check(found, "profile", "broken", f"there is no profile `{misspelt}`", f"permset doctor --profile {PROFILE}")
        found = bob.doctor(expect=2)
        assert_check(found, "profile", "broken", "no profile was named", "permset doctor --profile ")
        assert PROFILE in found["profile"]["next"], found

        # The sign-in.
        for change, evidence in (
            ({"expiresAt": "2020-01-01T00:00:00Z", "refreshToken": None}, "ended at 2020-01-01T00:00:00Z"),
            ({"expiresAt": "soon"}, "no end that can be read"),
        ):
            kept = {key: value for key, value in (token | change).items() if value is not None}
            file.write_text(json.dumps(kept))
            found = bob.doctor(*on_profile, expect=2)
            assert found["broken"] == "sign-in", found
            assert_check(found, "sign-in", "broken", evidence, LOGIN)
        file.write_text(json.dumps(token))
        bob.identity(*on_profile)
        bob.aws("sso", "logout")
        found = bob.doctor(*on_profile, expect=2)
        assert_check(found, "sign-in", "broken", "nobody has signed in", LOGIN)
        bob.identity(*on_profile, expect=255)
        # Of a token that was ended elsewhere only the portal knows.
        file.write_text(json.dumps(token))
        found = bob.doctor(*on_profile, expect=2)
        assert_check(found, "portal", "broken", "does not know the sign-in any more", LOGIN)
        assert found["broken"] == "portal"
        bob.login("--no-browser")
        bob.doctor(*on_profile, expect=0)


def check_what_is_odd_and_works(permset):
    with bob_gets_in(permset) as (_, bob):
        on_profile, config = ("--profile", PROFILE), bob.config.read_text()

        # Keys in the environment stay behind a profile that is named, and go before one that is not.
        keys = {"AWS_ACCESS_KEY_ID": "111111111111", "AWS_SECRET_ACCESS_KEY": "not-for-anybody-to-see"}
        unset = "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"
        found = bob.doctor(*on_profile, expect=0, **keys)
        assert_check(found, "environment", "warning", "AWS_ACCESS_KEY_ID", unset)
        assert bob.identity(*on_profile, **keys)["Arn"] in found["credentials"]["evidence"]
        assert bob.identity(AWS_PROFILE=PROFILE, **keys)["Account"] == keys["AWS_ACCESS_KEY_ID"]
        found = bob.doctor(AWS_PROFILE=PROFILE, expect=2, **keys)
        assert_check(found, "environment", "broken", "keys in the environment go before", unset)

        # Static keys under a name of their own are another matter, and are not told either.
        (bob.home / ".aws/credentials").write_text(f"[robot]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {SECRET}\n")
        found = bob.doctor("--profile", "robot", expect=2)
        assert_check(found, "profile", "broken", "static keys in the credentials file", "permset doctor --profile")
        bob.doctor(*on_profile, expect=0)

        # The old style, with a sign-in of its own.
        old = f"""[profile {PROFILE}]
sso_start_url = {START}/
sso_region = eu-central-1
sso_account_id = {ACCOUNT}
sso_role_name = {SET}
region = eu-central-1
"""
        bob.write(old)
        found = bob.doctor(*on_profile, expect=2)
        assert_check(found, "sign-in", "broken", "nobody has signed in", LOGIN)
        assert_check(found, "session", "warning", "an old-style profile", "permset profiles --write")
        bob.write(old.replace("/start/", "/start"))
        bob.aws("sso", "logout")
        bob.login("--no-browser", "--use-device-code")
        found = bob.doctor(*on_profile, expect=0)
        assert_check(found, "session", "warning", "an old-style profile", "permset profiles --write")
        assert bob.identity(*on_profile)["Arn"] in found["credentials"]["evidence"]

        # Without scopes the sign-in works and is not renewed.
        bob.write(config.replace("sso_registration_scopes = sso:account:access\n", ""))
        bob.aws("sso", "logout")
        bob.login("--no-browser", "--use-device-code")
        found = bob.doctor(*on_profile, expect=0)
        assert_check(found, "session", "warning", "sso_registration_scopes", "add `sso_registration_scopes = sso:account:access`")
        assert bob.identity(*on_profile)["Arn"] in found["credentials"]["evidence"]


def check_a_sign_in_that_the_aws_cli_renews_is_not_broken(permset):
    """After an hour the token has ended, and for the rest of the day each command of the AWS CLI renews it unasked."""
    with bob_gets_in(permset) as (_, bob):
        file, token = bob.kept()
        file.write_text(json.dumps(token | {"expiresAt": "2020-01-01T00:00:00Z"}))
        bob.identity("--profile", PROFILE)
        renewed = json.loads(file.read_text())
        assert renewed["accessToken"] != token["accessToken"], "the AWS CLI has renewed nothing"
        bob.doctor("--profile", PROFILE, expect=0)
        file.write_text(json.dumps(renewed | {"expiresAt": "2020-01-01T00:00:00Z"}))
        done = run(permset, ["doctor", "--profile", PROFILE], bob.home, AWS_ENDPOINT_URL=bob.env["AWS_ENDPOINT_URL"])
        assert json.loads(file.read_text())["expiresAt"].startswith("2020"), "doctor has changed the sign-in"
        assert "you do not get in" not in done.stdout, f"the next command of the AWS CLI gets in, and doctor says:\n{told(done)}"


def check_where_the_aws_cli_does_not_get_in_doctor_does_not_and_the_other_way_round(permset):
    """The AWS CLI reads the file by rules of its own, and permset knows them."""
    header = f"[profile {PROFILE}]\n"
    with bob_gets_in(permset) as (_, bob):
        served, config, complaints = {"AWS_ENDPOINT_URL": bob.env.pop("AWS_ENDPOINT_URL")}, bob.config.read_text(), []
        own = header + "endpoint_url = {AWS_ENDPOINT_URL}\n".format(**served)
        for what, text, variables in (
            ("nothing odd", config, served),
            ("a line that is none, in another profile", f"{config}\n[profile other]\nsso_session\n", served),
            ("a line before the first section", f"export AWS_PROFILE=jitsi\n{config}", served),
            ("a section for the second time", f"{config}\n{header}region = eu-central-1\n", served),
            ("a comment behind the account", config.replace(f"= {ACCOUNT}\n", f"= {ACCOUNT}  # hosting\n"), served),
            ("`#/` behind the start URL of the session", config.replace(START, f"{START}#/"), served),
            ("another start URL in the profile", config.replace(header, f"{header}sso_start_url = {START}#/\n"), served),
            ("a role that the profile assumes from itself",
             config.replace(header, f"{header}role_arn = arn:aws:iam::{ACCOUNT}:role/Operations\nsource_profile = {PROFILE}\n"), served),
            ("`[default]` for another kind of endpoint", f"[default]\nuse_fips_endpoint = true\n\n{config}", served),
            ("an endpoint of the profile", f"[default]\nendpoint_url = http://127.0.0.1:1\n\n{config.replace(header, own)}", {}),
        ):  # fmt: skip
            bob.write(text)
            done = bob.cli("sts", "get-caller-identity", "--profile", PROFILE, **variables)
            asked = run(permset, ["doctor", "--profile", PROFILE], bob.home, **variables)
            if asked.returncode not in (0, 2) or (done.returncode == 0) != (asked.returncode == 0):
                complaints.append(f"{what}:\n{shown(done)}\n{told(asked)}")
        # The AWS CLI takes an empty variable for none, the SDK for an endpoint: doctor says what to do.
        asked = run(permset, ["doctor", "--profile", PROFILE], bob.home, AWS_ENDPOINT_URL="")
        assert asked.returncode == 1 and "AWS_ENDPOINT_URL is set, and empty" in asked.stderr, told(asked)
        assert not complaints, f"{len(complaints)} times the AWS CLI says another thing than doctor:\n\n" + "\n".join(complaints)


def check_a_profile_of_the_old_style_is_not_spoilt_by_profiles(permset):
    """The start URL as the access portal shows it ends with `#/`, and the AWS CLI wants it the same in profile and session."""
    with bob_gets_in(permset) as (admin, bob):
        old = {"sso_start_url": f"{START}#/", "sso_region": "eu-central-1", "sso_account_id": ACCOUNT, "sso_role_name": SET}
        bob.write(f"[profile {PROFILE}]\n" + "".join(f"{key} = {value}\n" for key, value in old.items()))
        done = run(permset, ["profiles", "--write"], admin.home, **admin.env, AWS_CONFIG_FILE=bob.config)
        assert done.returncode in (0, 4), told(done)
        # Written or refused as a conflict, the profile is one that the AWS CLI can use.
        done = bob.cli("sts", "get-caller-identity", "--profile", PROFILE)
        assert "inconsistent" not in done.stderr, f"{shown(done)}\n{bob.config.read_text()}"


# ---------------------------------------------------------------- profiles for one person


def check_the_profiles_of_a_person_are_what_the_aws_cli_needs(permset):
    with people(permset) as (admin, colleague):
        apply(permset, admin.home, admin.env, admin.home / "access.yaml")
        alice = colleague(ALICE)
        alice.config.unlink()
        mine = alice.home / "for-alice.ini"
        mine.write_text(admin.run("profiles", "--user", ALICE))
        alice.env["AWS_CONFIG_FILE"] = mine
        names = alice.cli("configure", "list-profiles").stdout.splitlines()
        assert names == [PROFILE], f"alice has one permission set, and these profiles: {names}"
        alice.login("--no-browser")
        alice.assert_access()
        found = alice.doctor("--profile", PROFILE, expect=0, AWS_CONFIG_FILE=mine)
        assert alice.identity("--profile", PROFILE)["Arn"] in found["credentials"]["evidence"], found
        assert str(mine) in found["config file"]["evidence"], found
