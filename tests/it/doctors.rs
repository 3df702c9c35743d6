//! A person's own machine: profiles made for it, and the chain from a profile to a role followed link by link.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Output;

use serde_json::{Value, json};

use crate::served::serve;
use crate::support::cli::{Cli, code, stderr, stdout};
use crate::support::{assert_golden, tests_dir};

const WORLD: &str = "--sandbox=world.json";

fn config(cli: &Cli) -> String {
    let _ = std::fs::create_dir_all(cli.path(".aws"));
    cli.read(".aws/config")
}

#[test]
fn profiles_are_merged_and_nothing_else_is_touched() {
    let cli = Cli::with_example();
    let printed = cli.command(&["-q", WORLD, "profiles"]);
    assert_golden(&cli.transcript(&["profiles"], &printed), &tests_dir("cli/profiles.txt"));
    let mine = "# mine\r\n[profile other]\r\nregion = us-east-1   ; there\r\n\r\n[profile jitsi-hosting-AdministratorAccess]\r\nregion=eu-west-1\r\n# to the end";
    cli.write(".aws/config", mine);
    let wrote = cli.command(&["-q", WORLD, "profiles", "--write"]);
    assert_eq!(code(&wrote), 0, "{}", stderr(&wrote));
    let text = config(&cli);
    assert!(text.starts_with("# mine\r\n[profile other]\r\nregion = us-east-1   ; there\r\n\r\n[profile jitsi-hosting-AdministratorAccess]\r\nregion=eu-west-1\r\n"), "{text}");
    assert!(text.contains("\r\nsso_session = identity-center\r\nsso_account_id = 215665149509\r\n"), "{text}");
    assert_eq!(text.matches("region = eu-central-1").count(), 3, "a Region that is there stays: {text}");
    let backups: Vec<_> = std::fs::read_dir(cli.path(".aws"))
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.to_string_lossy().ends_with(".backup"))
        .collect();
    assert_eq!(std::fs::read_to_string(&backups[0]).unwrap(), mine);
    // Again there is nothing to do.
    let again = cli.command(&["-q", WORLD, "profiles", "--write"]);
    assert!(stdout(&again).contains("has all 4 sections already"), "{}", stdout(&again));
    assert_eq!(config(&cli), text);
    // What says something else is not overwritten unasked.
    let other = text.replace("sso_account_id = 215665149509", "sso_account_id = 999999999999");
    cli.write(".aws/config", &other);
    let refused = cli.command(&["-q", WORLD, "profiles", "--write"]);
    assert_eq!(code(&refused), 4, "{}", stderr(&refused));
    assert!(
        stderr(&refused).contains("has `sso_account_id = 999999999999`, wanted is `215665149509`"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(config(&cli), other);
    assert_eq!(code(&cli.command(&["-q", WORLD, "profiles", "--write", "--replace"])), 0);
    assert_eq!(config(&cli), text);
}

/// A config file may hold keys, and may be a link into a folder of dotfiles.
#[cfg(unix)]
#[test]
fn a_config_file_keeps_its_rights_and_its_place() {
    use std::os::unix::fs::PermissionsExt as _;
    let cli = Cli::with_example();
    cli.write("dotfiles/aws", "[default]\naws_secret_access_key = x\n");
    std::fs::create_dir(cli.path(".aws")).unwrap();
    std::os::unix::fs::symlink("../dotfiles/aws", cli.path(".aws/config")).unwrap();
    for (mode, session) in [(0o600, "one"), (0o640, "two")] {
        std::fs::set_permissions(cli.path("dotfiles/aws"), std::fs::Permissions::from_mode(mode)).unwrap();
        let wrote = cli.command(&["-q", WORLD, "profiles", "--write", "--replace", "--session", session]);
        assert_eq!(code(&wrote), 0, "{}", stderr(&wrote));
    }
    assert!(cli.path(".aws/config").is_symlink());
    let files = std::fs::read_dir(cli.path("dotfiles")).unwrap().map(|it| it.unwrap());
    let mut found: Vec<u32> = files.map(|it| it.metadata().unwrap().permissions().mode() & 0o777).collect();
    found.sort_unstable();
    assert_eq!(found, [0o600, 0o640, 0o640], "two backups and the file");
}

#[test]
fn profiles_of_a_person_are_what_they_may_enter() {
    let cli = Cli::with_example();
    let printed = stdout(&cli.command(&[
        "-q",
        WORLD,
        "profiles",
        "--user",
        "carol@example.com",
        "--name",
        "aws.{account_id}.{permission_set}",
    ]));
    let names: Vec<&str> = printed.lines().filter(|line| line.starts_with("[profile")).collect();
    assert_eq!(names, ["[profile aws.111111111111.AdministratorAccess]", "[profile aws.111111111111.BillingView]"]);
    for (args, exit, words) in [
        (vec!["profiles", "--user", "nobody@example.com"], 1, "there is no user `nobody@example.com`"),
        (vec!["profiles", "--user", "alice@example.com"], 1, "there is nothing to enter"),
        (vec!["profiles", "--name", "a]b"], 64, ""),
        (vec!["profiles", "--session", "a\nb"], 64, ""),
    ] {
        let output = cli.command(&[&["-q", WORLD], &args[..]].concat());
        assert_eq!(code(&output), exit, "{args:?} {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

/// One request, and the body of its answer.
fn ask(address: &str, method: &str, path: &str, body: &Value) -> Value {
    let body = if method == "POST" { body.to_string() } else { String::new() };
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap_or(Value::Null)
}

/// Signs somebody in as `aws sso login --use-device-code` does, and keeps the token where the AWS CLI keeps it.
fn sign_in(cli: &Cli, address: &str, user: &str) {
    let client = ask(address, "POST", "/client/register", &json!({"clientName": "cli", "clientType": "public"}));
    let with = |more: Value| {
        let mut body = json!({"clientId": client["clientId"], "clientSecret": client["clientSecret"]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let url = "https://d-00aa11bb22.awsapps.com/start";
    let device = ask(address, "POST", "/device_authorization", &with(json!({"startUrl": url})));
    let page = device["verificationUriComplete"].as_str().unwrap();
    ask(address, "GET", &format!("/device?{}&user={user}", page.split_once('?').unwrap().1), &Value::Null);
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let token = ask(address, "POST", "/token", &with(json!({"grantType": grant, "deviceCode": device["deviceCode"]})));
    let token = token["accessToken"].as_str().unwrap_or_else(|| panic!("{token}"));
    keep(
        cli,
        &json!({"startUrl": url, "region": "eu-central-1", "accessToken": token, "expiresAt": "2099-01-01T00:00:00Z", "clientSecret": "hush-hush"}),
    );
}

fn keep(cli: &Cli, token: &Value) {
    cli.write(&token_file(), token.to_string());
}

fn token_file() -> String {
    // Where the AWS CLI keeps the token of the session.
    let path = permset::workstation::sign_in::file(".aws/sso/cache".as_ref(), "identity-center");
    path.to_str().unwrap().to_owned()
}

struct Person<'a> {
    cli: &'a Cli,
    address: String,
}

impl Person<'_> {
    fn doctor(&self, args: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = self.cli.prepare(&[args, &["doctor"]].concat());
        command.env("AWS_ENDPOINT_URL", format!("http://{}", self.address)).envs(environment.iter().copied());
        let output = command.output().unwrap();
        for secret in ["hush-hush", &self.token()] {
            assert!(!stdout(&output).contains(secret) && !stderr(&output).contains(secret), "a secret is told");
        }
        output
    }

    fn token(&self) -> String {
        let text = std::fs::read_to_string(self.cli.path(&token_file())).unwrap_or_default();
        let kept: Value = serde_json::from_str(&text).unwrap_or_default();
        kept["accessToken"].as_str().unwrap_or("no token").to_owned()
    }

    /// The first broken link, its evidence and what to do.
    fn broken(&self, profile: &str, environment: &[(&str, &str)]) -> (i32, String, String, String) {
        let output = self.doctor(&["--profile", profile, "-v"], environment);
        let json = {
            let mut command = self.cli.prepare(&["--profile", profile, "doctor", "--format", "json"]);
            command.env("AWS_ENDPOINT_URL", format!("http://{}", self.address)).envs(environment.iter().copied());
            command.output().unwrap()
        };
        let found: Value = serde_json::from_str(&stdout(&json)).unwrap_or_else(|_| panic!("{}", stderr(&json)));
        let check = found["checks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["verdict"] == "broken")
            .cloned()
            .unwrap_or_default();
        let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(found["healthy"], json!(check.is_null()));
        assert_eq!(code(&output), code(&json));
        (code(&output), text("name"), text("evidence"), text("next"))
    }
}

const PROFILE: &str = "jitsi-hosting-JitsiPlatformAccess";

/// "Common Issue" of the guide, from the first word of the error to the role.
#[test]
fn the_chain_is_followed_to_the_link_that_breaks() {
    let cli = Cli::with_example();
    let served = serve(&cli, &["--no-throttle", "--job-seconds", "0"]);
    let person = Person { cli: &cli, address: served.address.clone() };
    let admin = |args: &[&str]| {
        let mut command = cli.prepare(args);
        command.env("AWS_ENDPOINT_URL", format!("http://{}", served.address)).env("AWS_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", "111111111111").env("AWS_SECRET_ACCESS_KEY", "sandbox");
        let output = command.output().unwrap();
        assert_eq!(code(&output), 0, "{args:?} {}", stderr(&output));
        stdout(&output)
    };
    let no_file = person.broken(PROFILE, &[]);
    assert_eq!((no_file.0, no_file.1.as_str()), (2, "config file"), "{no_file:?}");
    admin(&["-q", "profiles", "--write"]);
    let whole = config(&cli);
    let nobody = person.broken(PROFILE, &[]);
    assert_eq!(
        (nobody.1.as_str(), nobody.3.as_str()),
        ("sign-in", "aws sso login --profile jitsi-hosting-JitsiPlatformAccess")
    );

    sign_in(&cli, &served.address, "bob@example.com");
    let before = person.doctor(&["-q", "--profile", PROFILE], &[]);
    let text =
        stdout(&before).replace(&served.address, "ADDRESS").replace(&cli.dir.path().display().to_string(), "HOME");
    let text: String = text.lines().filter(|line| !line.contains(" clock ")).map(|line| format!("{line}\n")).collect();
    assert_golden(&text, &tests_dir("cli/doctor-no-access.txt"));
    assert_eq!(code(&before), 2);
    assert!(stdout(&before).contains("ForbiddenException: No access"), "{}", stdout(&before));

    // The file grants it to bob; now he gets in, and is who AWS says he is.
    cli.write(
        "access.yaml",
        cli.read("access.yaml").replace("users: [alice@example.com]", "users: [alice@example.com, bob@example.com]"),
    );
    admin(&["-q", "apply", "--auto-approve"]);
    let after = person.broken(PROFILE, &[]);
    assert_eq!((after.0, after.1.as_str()), (0, ""), "{after:?}");
    let said = stdout(&person.doctor(&["--profile", PROFILE], &[]));
    assert!(
        said.contains(
            "Account 215665149509, Arn arn:aws:sts::215665149509:assumed-role/AWSReservedSSO_JitsiPlatformAccess_"
        ),
        "{said}"
    );
    assert!(said.ends_with("\nyou get in\n"), "{said}");
    let by_environment = person.doctor(&[], &[("AWS_PROFILE", PROFILE)]);
    assert_eq!(code(&by_environment), 0, "{}", stdout(&by_environment));

    // Each thing that can be wrong on a machine.
    let token = cli.read(&token_file());
    let with_config = |from: &str, to: &str| {
        assert!(whole.contains(from), "{from}: {whole}");
        cli.write(".aws/config", whole.replace(from, to));
    };
    type Case<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);
    let role = "sso_role_name = JitsiPlatformAccess";
    let cases: [Case<'_>; 11] = [
        (
            "[sso-session identity-center]",
            "stray line\n[sso-session identity-center]",
            "config file",
            "refuse the file",
            "mend line 1",
        ),
        (role, "sso_role_name = JitsiPlatformAccess  # ours", "profile", "a comment behind a value", "mend line"),
        (
            role,
            "sso_role_name = JitsiPlatformAccess\nsso_start_url = https://other.awsapps.com/start",
            "session",
            "the AWS CLI takes neither",
            "remove `sso_start_url`",
        ),
        (
            role,
            "sso_role_name = JitsiPlatformAccess\nrole_arn = arn:aws:iam::1:role/x",
            "profile",
            "takes that role",
            "remove `role_arn`",
        ),
        (
            role,
            "sso_role_name = JitsiPlatfromAccess",
            "role",
            "these are: AdministratorAccess, JitsiPlatformAccess",
            "sso_role_name = JitsiPlatformAccess",
        ),
        (role, "", "profile", "lacks `sso_role_name`", "add `sso_role_name`"),
        (
            "sso_account_id = 215665149509\nsso_role_name = Jitsi",
            "sso_account_id = 333333333333\nsso_role_name = Jitsi",
            "account",
            "nothing is assigned to you there",
            "permset why --user YOU --account 333333333333",
        ),
        (
            "sso_account_id = 215665149509\nsso_role_name = Jitsi",
            "sso_account_id = 21566514950\nsso_role_name = Jitsi",
            "profile",
            "is no account id",
            "mend `sso_account_id`",
        ),
        (
            "[sso-session identity-center]",
            "[sso-session other]",
            "session",
            "no section [sso-session identity-center]",
            "permset profiles --write",
        ),
        ("sso_region = eu-central-1", "", "session", "lacks `sso_region`", "add `sso_region`"),
        (
            "[profile jitsi-hosting-JitsiPlatformAccess]",
            "[profile jitsi-hosting-JitsiPlatformAcces]",
            "profile",
            "there is no profile",
            "permset doctor --profile jitsi-hosting-JitsiPlatformAcces   if that is meant",
        ),
    ];
    for (from, to, link, evidence, next) in cases {
        with_config(from, to);
        let found = person.broken(PROFILE, &[]);
        assert_eq!((found.0, found.1.as_str()), (2, link), "{to}: {found:?}");
        assert!(found.2.contains(evidence) && found.3.contains(next), "{to}: {found:?}");
    }
    cli.write(".aws/config", &whole);
    for (change, link, evidence) in [
        (json!({"expiresAt": "2020-01-01T00:00:00UTC"}), "sign-in", "the sign-in ended at 2020-01-01T00:00:00Z"),
        (json!({"expiresAt": "soon"}), "sign-in", "no end that can be read"),
        (json!({"accessToken": "no-such-token"}), "portal", "does not know the sign-in any more"),
        (json!({"accessToken": null}), "sign-in", "nobody has signed in"),
    ] {
        let mut kept: Value = serde_json::from_str(&token).unwrap();
        kept.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        keep(&cli, &kept);
        let found = person.broken(PROFILE, &[]);
        assert_eq!(
            (found.0, found.1.as_str(), found.3.starts_with("aws sso login")),
            (2, link, true),
            "{change}: {found:?}"
        );
        assert!(found.2.contains(evidence), "{change}: {found:?}");
    }
    cli.write(&token_file(), &token);
    // Warnings are told, and do not stand in the way.
    for (text, environment, words) in [
        (
            whole.clone(),
            vec![("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "hush-hush")],
            "keys in the environment go before",
        ),
        (whole.replace("sso_registration_scopes = sso:account:access\n", ""), vec![], "cannot be renewed"),
        (whole.replace("region = eu-central-1\noutput", "output"), vec![], "has no `region`"),
        (format!("{whole}\n[other]\nx = y ; comment\n"), vec![], "a comment behind a value"),
    ] {
        cli.write(".aws/config", text);
        let output = person.doctor(&["--profile", PROFILE], &environment);
        assert!(stdout(&output).contains(words), "{words}: {}", stdout(&output));
        assert_eq!(code(&output), 0, "{words}: {}", stdout(&output));
    }
    cli.write(".aws/config", &whole);
    let keys = [("AWS_PROFILE", PROFILE), ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "hush-hush")];
    assert!(stdout(&person.doctor(&[], &keys)).contains("you do not get in: AWS_ACCESS_KEY_ID"));
    for (change, words) in [
        (json!({"startUrl": "https://other.awsapps.com/start"}), "signed in at https://other.awsapps.com/start"),
        (json!({"expiresAt": "2020-01-01T00:00:00Z", "refreshToken": "hush-hush"}), "the AWS CLI renews it"),
    ] {
        let mut kept: Value = serde_json::from_str(&token).unwrap();
        kept.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        keep(&cli, &kept);
        let output = person.doctor(&["--profile", PROFILE], &[]);
        assert!(code(&output) == 0 && stdout(&output).contains(words), "{}", stdout(&output));
    }
    keep(&cli, &serde_json::from_str(&token).unwrap());
    // What the portal cannot be asked for want of a network.
    drop(served);
    cli.write(".aws/config", &whole);
    let found = person.broken(PROFILE, &[]);
    assert_eq!((found.0, found.1.as_str()), (2, "portal"), "{found:?}");
}

#[test]
fn an_old_style_profile_is_explained() {
    let cli = Cli::with_example();
    let served = serve(&cli, &["--no-throttle"]);
    let person = Person { cli: &cli, address: served.address.clone() };
    let url = "https://d-00aa11bb22.awsapps.com/start";
    cli.write(".aws/config", format!("[profile old]\nsso_start_url = {url}\nsso_region = eu-central-1\nsso_account_id = 111111111111\nsso_role_name = AdministratorAccess\nregion = eu-central-1\n"));
    sign_in(&cli, &served.address, "carol@example.com");
    // Its token is named after the start URL.
    let path = permset::workstation::sign_in::file(".aws/sso/cache".as_ref(), url);
    cli.write(path.to_str().unwrap(), cli.read(&token_file()));
    let said = stdout(&person.doctor(&["--profile", "old"], &[]));
    assert!(said.contains("an old-style profile") && said.ends_with("you get in\n"), "{said}");
    cli.write(".aws/credentials", "[keys]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = hush-hush\n");
    let found = person.broken("keys", &[]);
    assert!(found.2.contains("static keys in the credentials file"), "{found:?}");
    // It is not joined to a session: with both, the AWS CLI would refuse it.
    let before = config(&cli).replace("[profile old]", "[profile jitsi-hosting-AdministratorAccess]");
    cli.write(".aws/config", before);
    cli.command(&["sandbox", "init", "--world", "other.json"]);
    let refused = cli.command(&["--sandbox=other.json", "profiles", "--write"]);
    assert_eq!(code(&refused), 4, "{}", stderr(&refused));
    assert!(stderr(&refused).contains("wanted is `no such line, beside `sso_session``"), "{}", stderr(&refused));
    // Nor is what stands beside shown.
    cli.write(".aws/config", "[profile x]\naws_secret_access_key = hush-hush\n");
    let wrote = cli.command(&["--sandbox=other.json", "profiles", "--write"]);
    assert!(code(&wrote) == 0 && !stdout(&wrote).contains("hush-hush"), "{}", stdout(&wrote));
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSO_ADMIN"] {
        let output = cli.prepare(&["plan"]).env(variable, "").env("AWS_REGION", "eu-central-1").output().unwrap();
        let said = format!("{variable} is set, and empty");
        assert!(code(&output) == 1 && stderr(&output).contains(&said), "{}", stderr(&output));
    }
    let output = cli.command(&["--sandbox", "doctor"]);
    assert_eq!(code(&output), 64, "{}", stderr(&output));
}
