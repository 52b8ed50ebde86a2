//! Takes turns between contenders and reduces their runs to medians.
//!
//! A noisy neighbour or a change of clock speed lasts longer than one run of
//! one contender. So each round runs every contender once, each round starts
//! with another one, and the noise is shared. The first round warms up and is
//! not counted.

use crate::contender::{Contender, Role};
use crate::measure::Sample;

/// What a contender's runs come to, in nanoseconds per item.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which side the contender is on.
    pub role: Role,
    /// Its name.
    pub name: &'static str,
    /// Its class.
    pub class: &'static str,
    /// The medians of wall and processor time, each on its own.
    pub median: Sample,
    /// The shortest time on the wall.
    pub min: f64,
    /// The longest time on the wall.
    pub max: f64,
}

/// Runs every contender `runs` times and once before that to warm up.
#[must_use]
pub fn take_turns(contenders: &[Contender], runs: usize) -> Vec<Outcome> {
    let mut samples = vec![Vec::with_capacity(runs); contenders.len()];
    for round in 0..=runs {
        for turn in 0..contenders.len() {
            let who = (round + turn) % contenders.len();
            let sample = contenders[who].run();
            if round > 0 {
                samples[who].push(sample);
            }
        }
    }
    contenders
        .iter()
        .zip(samples)
        .map(|(contender, samples)| reduce(contender, &samples))
        .collect()
}

fn reduce(contender: &Contender, samples: &[Sample]) -> Outcome {
    let wall = sorted(samples.iter().map(|sample| sample.wall));
    let cpu = sorted(samples.iter().map(|sample| sample.cpu));
    Outcome {
        role: contender.role,
        name: contender.name,
        class: contender.class,
        median: Sample {
            wall: median(&wall),
            cpu: median(&cpu),
        },
        min: wall[0],
        max: wall[wall.len() - 1],
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The middle of sorted values, of which there is at least one.
fn median(sorted: &[f64]) -> f64 {
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middles() {
        assert_eq!(median(&[7.0]).to_bits(), 7.0_f64.to_bits());
        assert_eq!(median(&[1.0, 2.0, 9.0]).to_bits(), 2.0_f64.to_bits());
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]).to_bits(), 3.0_f64.to_bits());
    }
}
