//! Draws a record: one SVG for each family of scenarios, a panel of bars for
//! each scenario.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::record::{self, Row};
use crate::report::Unit;
use crate::scenario::{ALL, Headline, Scenario};

type Panel<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const WIDTH: u32 = 800;
const NAMES: i32 = 250;
const BARS: i32 = 430;
const TITLE: i32 = 34;
const BAR: i32 = 22;
const GAP: i32 = 14;

const OURS: RGBColor = RGBColor(196, 78, 33);
const THEIRS: RGBColor = RGBColor(120, 134, 156);
const INK: RGBColor = RGBColor(40, 44, 52);

/// Bars end at so many times the best rival's, or the others could not be told apart.
const CUT: f64 = 6.0;

/// Draws the record at `path` into the folder `plots`.
///
/// # Errors
///
/// If the record cannot be read or a plot not be written.
pub fn draw(path: &Path) -> Result<(), Box<dyn Error>> {
    let rows = record::read(path)?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plots");
    fs::create_dir_all(&folder)?;
    for family in families() {
        let panels: Vec<_> = ALL
            .iter()
            .filter(|scenario| scenario.family() == family)
            .map(|scenario| (scenario, ranked(scenario, &rows)))
            .filter(|(_, rows)| !rows.is_empty())
            .collect();
        if !panels.is_empty() {
            draw_family(&folder.join(format!("{family}.svg")), &panels)?;
        }
    }
    Ok(())
}

fn families() -> Vec<&'static str> {
    let mut families: Vec<_> = ALL.iter().map(Scenario::family).collect();
    families.dedup();
    families
}

/// The scenario's rows, the best first.
fn ranked<'a>(scenario: &Scenario, rows: &'a [Row]) -> Vec<&'a Row> {
    let mut rows: Vec<_> = rows
        .iter()
        .filter(|row| row.scenario == scenario.name)
        .collect();
    rows.sort_by(|a, b| figure(scenario, a).total_cmp(&figure(scenario, b)));
    rows
}

fn figure(scenario: &Scenario, row: &Row) -> f64 {
    match scenario.headline {
        Headline::Wall => row.median_wall,
        Headline::Cpu => row.median_cpu,
    }
}

fn draw_family(path: &Path, panels: &[(&Scenario, Vec<&Row>)]) -> Result<(), Box<dyn Error>> {
    let height = |rows: &[&Row]| TITLE + BAR * i32::try_from(rows.len()).unwrap_or(0) + GAP;
    let footer = 24;
    let total: i32 = panels.iter().map(|(_, rows)| height(rows)).sum::<i32>() + footer;
    let root = SVGBackend::new(path, (WIDTH, total.unsigned_abs())).into_drawing_area();
    root.fill(&WHITE)?;
    let mut rest = root.clone();
    for (scenario, rows) in panels {
        let (panel, below) = rest.split_vertically(height(rows));
        draw_panel(&panel, scenario, rows)?;
        rest = below;
    }
    let (_, rows) = &panels[0];
    let Row {
        date,
        target,
        cpus,
        runs,
        ..
    } = rows[0];
    let note = format!("{date}, {target}, {cpus} CPUs, medians of {runs} runs; less is better");
    rest.draw(&Text::new(note, (12, 4), text(12, HPos::Left)))?;
    root.present()?;
    Ok(())
}

fn text(size: i32, anchor: HPos) -> TextStyle<'static> {
    ("sans-serif", size)
        .into_font()
        .color(&INK)
        .pos(Pos::new(anchor, VPos::Top))
}

fn draw_panel(panel: &Panel<'_>, scenario: &Scenario, rows: &[&Row]) -> Result<(), Box<dyn Error>> {
    let best = figure(scenario, rows[0]);
    let unit = Unit::suiting(best);
    let clock = match scenario.headline {
        Headline::Wall => "",
        Headline::Cpu => "CPU ",
    };
    let title = format!("{} ({clock}{unit} per {})", scenario.title, scenario.per);
    panel.draw(&Text::new(title, (12, 10), text(15, HPos::Left)))?;

    let classes: BTreeSet<_> = rows
        .iter()
        .map(|row| &row.class)
        .filter(|class| !class.is_empty())
        .collect();
    let longest = rows
        .iter()
        .map(|row| figure(scenario, row))
        .fold(0.0, f64::max);
    let full = longest.min(CUT * best);
    for (at, row) in (0..).zip(rows) {
        let top = TITLE + BAR * at;
        let value = figure(scenario, row);
        let color = if row.contender.starts_with("brigade") {
            OURS
        } else {
            THEIRS
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most the width of a panel"
        )]
        let length = (f64::from(BARS) * (value / full).min(1.0)).round() as i32;
        let cut = if value > full { " (bar cut)" } else { "" };
        let label = format!("{}{cut}", unit.show(value));
        let name = if classes.len() > 1 {
            format!("{} ({})", row.contender, row.class)
        } else {
            row.contender.clone()
        };
        panel.draw(&Text::new(
            name,
            (NAMES - 8, top + 2),
            text(13, HPos::Right),
        ))?;
        let corners = [(NAMES, top), (NAMES + length, top + BAR - 5)];
        panel.draw(&Rectangle::new(corners, color.filled()))?;
        let (x, style) = if cut.is_empty() {
            (NAMES + length + 6, text(13, HPos::Left))
        } else {
            (NAMES + length - 6, text(13, HPos::Right).color(&WHITE))
        };
        panel.draw(&Text::new(label, (x, top + 2), style))?;
    }
    Ok(())
}
