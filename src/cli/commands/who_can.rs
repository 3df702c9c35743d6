//! `permset who-can`: who holds what, people and groups, for access reviews.

use std::collections::BTreeSet;

use crate::aws::{Access, Aws};
use crate::cli::args::{Global, WhoCanArgs, WhoCanFormat};
use crate::cli::commands::{account_selector, permission_set_name, pretty, rendered};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::session::{connection, instance};
use crate::effective::{action::is_action, reach::reach};
use crate::model::{PrincipalKind, Shown};
use crate::observed::{Look, groups_in, look, read_everybody, read_members};
use crate::report::json::WhoCanJson;
use crate::report::who_can;

/// Reads, expands groups, prints.
pub(in crate::cli) async fn run(global: &Global, args: &WhoCanArgs, output: &Output) -> Result<Exit, Failure> {
    if let Some(action) = args.action.as_ref().filter(|action| !is_action(action)) {
        let failure = Failure::new(format!("`{}` is not the name of an action", Shown(action)));
        return Err(failure.hint("one action, as in `--action ecs:UpdateService`").exit(Exit::Usage));
    }
    let wanted = Look {
        instance: instance(global)?,
        accounts: (!args.accounts.is_empty()).then(|| args.accounts.iter().map(|it| account_selector(it)).collect()),
        permission_sets: if args.sets.is_empty() {
            None
        } else {
            Some(args.sets.iter().map(|it| permission_set_name(it)).collect::<Result<BTreeSet<_>, _>>()?)
        },
        definitions: args.action.is_some(),
        may_be_unknown: false,
    };
    let everybody = wanted.accounts.is_none() && wanted.permission_sets.is_none() && args.action.is_none();
    let aws = Aws::connect(&connection(global, None, output)?, Access::ReadOnly).await?;
    let observed = {
        let progress = Progress::start(output, &aws, global.verbose > 0);
        let on_progress = |step| progress.reading(&step);
        let mut observed = look(&aws, &wanted, &on_progress).await?;
        let mut groups = groups_in(&observed, &observed.assignments);
        if everybody {
            read_everybody(&aws, &mut observed).await?;
            let known = observed.directory.by_id.keys().filter(|it| it.kind == PrincipalKind::Group);
            groups.extend(known.map(|it| it.id.clone()));
        }
        read_members(&aws, &mut observed, groups, &on_progress).await?;
        observed
    };
    let found = reach(&observed, args.action.as_deref());
    output.result(&match args.format {
        WhoCanFormat::Text => rendered(|out| who_can::write_text(out, &found, args.action.as_deref(), everybody)),
        WhoCanFormat::Csv => rendered(|out| who_can::write_csv(out, &found, everybody)),
        WhoCanFormat::Json => pretty(&WhoCanJson::new(&found, &observed.instance, everybody, &observed.reading))?,
    });
    output.notice(&format!("read with {}", observed.reading));
    Ok(Exit::Ok)
}
