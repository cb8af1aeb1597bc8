//! The course of this step: all variants take turns, then what they came to is told.

use crate::{
    args::PipelineArgs,
    claims,
    complaints::Complaint,
    figures::Figures,
    from_memory::Memory,
    loss_of_worker, pace,
    plan::{Plan, plan_with_loss, plans, run},
    rounds::Rounds,
    source::Source,
};
use common::Lab;
use lab_10_hybrid_pipeline::workers::Way;
use std::{collections::BTreeMap, num::NonZeroUsize};

/// What all variants have in common.
#[derive(Debug)]
pub(crate) struct Course<'a> {
    args: &'a PipelineArgs,
    workers: NonZeroUsize,
    source: &'a Source,
    plans: Vec<Plan>,
    rounds: Rounds,
    complaints: BTreeMap<&'static str, Complaint>,
    memory: Option<Memory>,
    last: Option<Figures>,
}

impl<'a> Course<'a> {
    pub(crate) fn new(args: &'a PipelineArgs, workers: NonZeroUsize, source: &'a Source) -> Self {
        Self {
            args,
            workers,
            source,
            plans: plans(args.parse),
            rounds: Rounds::default(),
            complaints: BTreeMap::new(),
            memory: None,
            last: None,
        }
    }

    /// Runs all rounds; where nothing comes the first variant is the last.
    pub(crate) fn run(&mut self, lab: &mut Lab) -> anyhow::Result<()> {
        for _ in 0..self.args.rounds.rounds.get() {
            for plan in self.plans.clone() {
                let figures = run(&plan, self.args, self.workers, self.source, lab)?;
                let complaint = self.complaints.entry(plan.name).or_default();
                complaint.add(&figures.pages, &figures.totals);
                self.rounds.add(plan.name, &figures);
                // More of the same would only cost the reader's time.
                let is_over = figures.parsed == 0;
                self.last = Some(figures);
                if is_over {
                    return Ok(());
                }
            }
            self.run_from_memory(lab)?;
        }
        Ok(())
    }

    fn run_from_memory(&mut self, lab: &mut Lab) -> anyhow::Result<()> {
        let Some(figures) = self.last.as_ref().filter(|_| self.args.wants_memory()) else {
            return Ok(());
        };
        if self.memory.is_none() {
            self.memory = Some(Memory::of(&figures.totals, self.args)?);
        }
        if let Some(memory) = &mut self.memory {
            memory.run_round(
                &self.plans,
                self.workers,
                self.source,
                &mut self.rounds,
                lab,
            )?;
        }
        Ok(())
    }

    /// Tells what was found and measured, and claims what these variants can show.
    pub(crate) fn tell(&self, lab: &mut Lab) -> anyhow::Result<()> {
        let Some(figures) = &self.last else {
            return Ok(());
        };
        figures.tell(lab);
        if figures.parsed > 0 {
            let workers = self.workers.get();
            claims::tell_and_claim(lab, &self.plans, self.source, &self.rounds, workers);
            if let Some(memory) = &self.memory {
                memory.tell(&self.plans, self.workers, &self.rounds, lab);
                pace::near_the_bound(lab, &self.plans, &self.rounds, workers);
            }
            if self.args.kill_worker {
                self.lose_a_worker(figures.totals.pages, lab)?;
            }
        }
        Ok(())
    }

    fn lose_a_worker(&self, pages: usize, lab: &mut Lab) -> anyhow::Result<()> {
        let plan = plan_with_loss(pages);
        let figures = run(&plan, self.args, self.workers, self.source, lab)?;
        let processes = self.plans.iter().find(|plan| plan.way == Way::Processes);
        let whole = processes.unwrap_or(&self.plans[0]);
        loss_of_worker::tell_and_claim(lab, &plan, whole, &figures);
        Ok(())
    }

    /// Fails the run with one line for each variant whose pages did not come.
    pub(crate) fn complain(&self, lab: &mut Lab) {
        for plan in &self.plans {
            let complaint = self.complaints.get(plan.name);
            if let Some(line) = complaint.and_then(|all| all.line(plan.name)) {
                lab.fail(line);
            }
        }
    }
}
