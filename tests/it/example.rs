//! The example is the real first case, it explains the whole format, and the README's first command does what it says.

use permset::model::{DesiredDefinition, PermissionSetName, Policy};
use permset::sandbox::{Sandbox, starter};

use crate::schemas::fields;
use crate::support::{run, tests_dir};

const EXAMPLE: &str = include_str!("../../access.yaml.example");

/// Option B of the guide that permset replaces, to the letter.
const OPTION_B: &str = r#"{
 "Version": "2012-10-17",
 "Statement": [
   {
     "Effect": "Allow",
     "Action": [
       "ecs:*", "ec2:*", "elasticloadbalancing:*", "ssm:*", "s3:*",
       "logs:*", "cloudwatch:*", "servicediscovery:*", "iam:PassRole"
     ],
     "Resource": "*"
   }
 ]
}"#;

/// Option A of the guide.
const OPTION_A: [&str; 6] = [
    "AmazonECS_FullAccess",
    "AmazonVPCFullAccess",
    "ElasticLoadBalancingFullAccess",
    "AmazonSSMFullAccess",
    "AmazonS3FullAccess",
    "CloudWatchLogsFullAccess",
];

fn definition(text: &str, name: &str) -> permset::model::Definition {
    let desired = run::desired_from(text);
    match &desired.permission_sets[&PermissionSetName::parse(name).unwrap()].definition {
        DesiredDefinition::Managed(definition) => (**definition).clone(),
        DesiredDefinition::External => panic!("{name} is external"),
    }
}

#[test]
fn the_example_declares_what_the_guide_describes() {
    let jitsi = definition(EXAMPLE, "JitsiPlatformAccess");
    assert_eq!(jitsi.inline_policy, Some(Policy::from_live(OPTION_B)));
    let admin = definition(EXAMPLE, "AdministratorAccess");
    assert_eq!(admin.aws_managed_policies.iter().map(ToString::to_string).collect::<Vec<_>>(), ["AdministratorAccess"]);
    assert!(EXAMPLE.contains("215665149509") && EXAMPLE.contains("jitsi-hosting"));
}

#[test]
fn option_a_of_the_guide_stands_in_the_comments_and_works() {
    let start = EXAMPLE.find("    # aws_managed_policies:").unwrap();
    let end = start + EXAMPLE[start..].find("    # Policies that every account").unwrap();
    let option_a = EXAMPLE[start..end].replace("    # ", "    ");
    let with_a = format!("{}{option_a}{}", &EXAMPLE[..start], &EXAMPLE[end..]);
    let policies = definition(&with_a, "JitsiPlatformAccess").aws_managed_policies;
    let mut expected = OPTION_A.to_vec();
    expected.sort_unstable();
    assert_eq!(policies.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
}

#[test]
fn the_example_shows_every_field() {
    let missing: Vec<String> = fields(&permset::desired::schema())
        .into_iter()
        .filter(|field| !EXAMPLE.contains(&format!("{field}:")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_scenario_of_the_first_case_is_the_example() {
    assert_eq!(std::fs::read_to_string(tests_dir("scenarios/first-case/access.yaml")).unwrap(), EXAMPLE);
}

#[test]
fn the_readme_shows_what_permset_prints() {
    let cli = crate::support::cli::Cli::new();
    cli.write("access.yaml.example", EXAMPLE);
    let output = cli.command(&["-q", "--sandbox", "-f", "access.yaml.example", "plan"]);
    let readme = std::fs::read_to_string(tests_dir("../README.md")).unwrap();
    assert!(readme.contains(&crate::support::cli::stdout(&output)), "{}", crate::support::cli::stdout(&output));
    let why = "-q --sandbox -f access.yaml.example why --account jitsi-hosting --group jitsi-admins --permission-set AdministratorAccess";
    let output = cli.command(&why.split(' ').collect::<Vec<_>>());
    let shown = format!("$ permset {why}\n{}```", crate::support::cli::stdout(&output));
    assert!(readme.contains(&shown), "{shown}");
}

#[test]
fn the_readme_names_every_operation_that_a_run_needs() {
    let sandbox = Sandbox::new(starter::starter());
    let desired = run::desired_from(EXAMPLE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(run::converge(&sandbox, &desired));
    let readme = std::fs::read_to_string(tests_dir("../README.md")).unwrap();
    for operation in sandbox.calls().keys() {
        let action = operation.replace("sso-admin.", "sso:").replace('.', ":");
        assert!(readme.contains(&action), "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_starter_world_becomes_what_the_example_declares_and_stays_so() {
    let sandbox = Sandbox::new(starter::starter());
    let desired = run::desired_from(EXAMPLE);
    let (_, plan, _) = run::plan(&run::aws(&sandbox).await, &desired).await;
    assert!(plan.steps.len() > 5, "there is no drift to find: {plan:#?}");
    run::converge(&sandbox, &desired).await;
    let (observed, plan, _) = run::plan(&run::aws(&sandbox).await, &desired).await;
    assert!(plan.is_empty());
    assert_eq!(observed.reading.calls, 34, "calls made by a plan of the example");
}
