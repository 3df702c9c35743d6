//! Over a real socket: the SDK's own HTTP connector, `--endpoint-url`, and AWS_ENDPOINT_URL.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;

use permset::sandbox::{Sandbox, starter};

use crate::support::cli::{Cli, code, stderr, stdout};

/// Serves a sandbox on loopback and returns its address. It ends with the test's process.
fn serve(sandbox: &Sandbox) -> String {
    let (sandbox, (ready, is_ready)) = (sandbox.clone(), mpsc::channel());
    sandbox.limit_rates(false);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        runtime.block_on(permset::sandbox::serve(sandbox, address, |address| ready.send(address).unwrap()))
    });
    format!("http://{}", is_ready.recv().unwrap())
}

/// Answers every request with an error and tells who signed the first.
fn who_signs() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            if let Some(line) = lines.find(|line| line.contains("Credential=")) {
                let _ = tell.send(line);
            }
            let _ = stream.write_all(b"HTTP/1.1 400 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    (url, told)
}

#[test]
fn a_profile_asked_for_goes_before_credentials_in_the_environment() {
    let cli = Cli::with_example();
    cli.write(
        ".aws/config",
        "[profile prof]\nregion = eu-central-1\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = x\n",
    );
    let (url, signed) = who_signs();
    over_the_wire(&cli, &["-q", "--profile", "prof", "--endpoint-url", &url, "plan"], &[]);
    assert!(signed.recv().unwrap().contains("AKIAPROFILE"));
    let output = over_the_wire(&cli, &["-q", "--profile", "nobody", "--endpoint-url", &url, "plan"], &[]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("profile `nobody`"), "{}", stderr(&output));
}

fn over_the_wire(cli: &Cli, args: &[&str], environment: &[(&str, &str)]) -> std::process::Output {
    let mut command = cli.prepare(args);
    command
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", "eu-central-1");
    command.envs(environment.iter().copied());
    command.output().unwrap()
}

#[test]
fn a_plan_over_http_is_the_plan_in_process_to_the_byte() {
    let cli = Cli::with_example();
    let sandbox = Sandbox::new(starter::starter());
    let url = serve(&sandbox);
    let in_process = cli.command(&["--sandbox=world.json", "plan", "--format", "json"]);
    let by_flag = over_the_wire(&cli, &["--endpoint-url", &url, "plan", "--format", "json"], &[]);
    let by_variable = over_the_wire(&cli, &["plan", "--format", "json"], &[("AWS_ENDPOINT_URL", &url)]);
    assert_eq!((code(&by_flag), stderr(&by_flag).contains("error")), (0, false), "{}", stderr(&by_flag));
    assert_eq!(stdout(&by_flag), stdout(&in_process));
    assert_eq!(stdout(&by_variable), stdout(&in_process));
}

#[test]
fn apply_over_http_converges() {
    let cli = Cli::with_example();
    let mut world = starter::starter();
    world.settings.job_seconds = Some(0.1);
    let url = serve(&Sandbox::new(world));
    let applied = over_the_wire(&cli, &["--endpoint-url", &url, "apply", "--auto-approve"], &[]);
    assert_eq!(code(&applied), 0, "{}{}", stdout(&applied), stderr(&applied));
    let planned = over_the_wire(&cli, &["--endpoint-url", &url, "plan", "--detailed-exitcode"], &[]);
    assert_eq!(code(&planned), 0, "{}", stdout(&planned));
}

#[test]
fn one_service_can_have_an_endpoint_of_its_own() {
    let cli = Cli::with_example();
    let url = serve(&Sandbox::new(starter::starter()));
    let environment = [("AWS_ENDPOINT_URL", url.as_str()), ("AWS_ENDPOINT_URL_SSO_ADMIN", "http://127.0.0.1:1")];
    let planned = over_the_wire(&cli, &["plan"], &environment);
    assert_eq!(code(&planned), 1);
    assert!(stderr(&planned).contains("ListInstances failed"), "{}", stderr(&planned));
}
