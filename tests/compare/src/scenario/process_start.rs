//! A process that does nothing, started and awaited, again and again.
//!
//! The floor is the standard library's `Command` on this same executable, which ends at the
//! beginning of `main`.

use super::Effort;
use crate::contender::{Contender, Role};
use crate::measure::{Sample, Whose, measure};
use crate::process::child::{Guarded, command};
use crate::process::python::{self, Script};

fn ours(processes: u64) -> Sample {
    measure(Whose::Family, processes, || {
        for number in 0..processes {
            let process = brigade::Process::start(|number: u64| number + 1, number);
            let answer = process.expect("a process can be started").join();
            assert_eq!(answer.expect("it returns"), number + 1);
        }
    })
}

fn procspawn(processes: u64) -> Sample {
    measure(Whose::Family, processes, || {
        for number in 0..processes {
            let process = procspawn::spawn(number, |number| number + 1);
            assert_eq!(process.join().expect("it returns"), number + 1);
        }
    })
}

fn bare(processes: u64) -> Sample {
    measure(Whose::Family, processes, || {
        for _ in 0..processes {
            Guarded::start(&mut command("nothing", &[])).join();
        }
    })
}

const PYTHON: &str = "
import multiprocessing as mp
def nothing(): pass
if __name__ == '__main__':
    method, processes = int(sys.argv[1]), int(sys.argv[2])
    context = mp.get_context(['fork', 'spawn'][method])
    def start(processes):
        for _ in range(processes):
            process = context.Process(target=nothing if method == 0 else os.getpid)
            process.start()
            process.join()
    start(1)
    released()
    start(processes)
    done('')
";

pub(super) fn contenders(effort: Effort) -> Vec<Contender> {
    let processes = effort.choose(200, 20);
    let mut all = vec![
        Contender::new(Role::Ours, "brigade Process", "process", move || {
            ours(processes)
        }),
        Contender::new(Role::Rival, "procspawn", "process", move || {
            procspawn(processes)
        }),
        Contender::new(Role::Floor, "Command, same executable", "", move || {
            bare(processes)
        }),
    ];
    if python::is_there() {
        let methods = [
            ("Python Process, fork", "fork", 0, processes),
            ("Python Process, spawn", "process", 1, processes / 10),
        ];
        for (name, class, method, processes) in methods {
            all.push(Contender::new(Role::Rival, name, class, move || {
                Script::start(PYTHON, &[method, processes]).run(processes).0
            }));
        }
    }
    all
}
