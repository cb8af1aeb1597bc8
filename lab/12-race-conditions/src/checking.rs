//! The same races under the model checker.

use crate::listing::{failing_lines, verdict};
use common::{Lab, Tally};
use lab_12_race_conditions::{
    model::{Finding, check_audit, check_counter, check_withdrawals},
    program::Program,
};
use serde::Serialize;

/// The most schedules of a program that the checker is given: it also tries all orders in which
/// threads start and end, which are many more.
const MOST_CHECKED: u64 = 100;

/// What the checker found about each race and its repair.
#[derive(Serialize)]
struct Checked {
    counter: Finding,
    counter_repaired: Finding,
    account: Finding,
    account_repaired: Finding,
    audit: Finding,
    audit_repaired: Finding,
}

/// The same functions under the model checker; returns whether the listed program was among them.
pub(crate) fn check_all_orders(lab: &mut Lab, listed: Program) -> anyhow::Result<bool> {
    let few = listed.schedules().up_to(MOST_CHECKED).is_some();
    let program = if few { listed } else { Program::SMALLEST };
    lab.say("The same functions under a model checker (shuttle, depth first) …");
    lab.say("  Its model: one access at a time, in every order; what is stored, all see at");
    lab.say("  once. What compiler and CPU may reorder, it does not try.");
    let check = || {
        Ok(Checked {
            counter: check_counter(program, false),
            counter_repaired: check_counter(program, true),
            account: check_withdrawals(false),
            account_repaired: check_withdrawals(true),
            audit: check_audit(false),
            audit_repaired: check_audit(true),
        })
    };
    let checked = lab
        .variant("checker")
        .other_work()
        .run_counted(check, |_| Tally::all_done(6))?;
    checked.tell(lab);
    Ok(few)
}

impl Checked {
    /// Prints what was found, and each race's first failing schedule step by step.
    fn tell(&self, lab: &Lab) {
        let counter = ("counter", &self.counter, &self.counter_repaired);
        let account = ("account", &self.account, &self.account_repaired);
        let audit = ("audit", &self.audit, &self.audit_repaired);
        for ((name, race, repaired), breaks) in [
            (counter, "lose an update"),
            (account, "overdraw it"),
            (audit, "see a wrong total"),
        ] {
            lab.say(format!("  {name}: {}", verdict(race, breaks)));
            for line in failing_lines(race) {
                lab.say(format!("    {line}"));
            }
            lab.say(format!("  {name} repaired: {}", verdict(repaired, breaks)));
        }
    }
}
