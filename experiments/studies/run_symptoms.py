"""Trains GANs that go wrong on purpose and healthy ones, and counts the symptoms that are found:
python -m experiments.studies.run_symptoms --seeds=0,1,2 --workdir=runs/symptoms

Each run is a separate process, and the same command continues with the missing ones. The table has a row for each kind of run:
in how many runs its symptom was found, at which fraction of the training, and which other symptoms were reported. Symptoms of
the data are not counted. --runs=NAME,NAME trains some of them. With --steps, all runs are shorter or longer.

The thresholds in ganlib.diagnostics were set on seeds from 100 on, and the table is made with others.
"""

import pathlib
import subprocess
import sys

from absl import flags

from experiments.common import job

FLAGS = flags.FLAGS

NO_PENALTY = "--penalties.r1.weight=0"
SICK = {
    "collapse by a fast generator": ("mode_collapse", "--generator_optimizer.learning_rate=0.01 " + NO_PENALTY),
    "collapse by a narrow discriminator": (
        "mode_collapse",
        "--discriminator.width=2 --conditional=False --generator_optimizer.learning_rate=2e-3 " + NO_PENALTY,
    ),
    "discriminator overfits 100 images": ("discriminator_overfitting", "--labels_per_class=10 --augment= " + NO_PENALTY),
    "memorization of 30 images": ("memorization", "--labels_per_class=3 --batch_size=30 --augment="),
    "labels ignored": (
        "labels_ignored",
        "--discriminator.conditioning=auxiliary --penalties.auxiliary_classification.weight=1e-9",
    ),
    "vanishing generator": (
        "discriminator_dominates",
        "--loss=minimax --generator_optimizer.learning_rate=1e-5 --discriminator_optimizer.learning_rate=2e-3 --augment= "
        + NO_PENALTY,
    ),
    "exploding rates": (
        "exploding_or_dead_layers,unstable",
        "--generator_optimizer.learning_rate=0.5 --discriminator_optimizer.learning_rate=0.5",
    ),
    "discriminator hardly learns": ("generator_dominates", "--discriminator_optimizer.learning_rate=1e-7"),
    "not finite by float16": (
        "unstable,exploding_or_dead_layers",
        "--precision=mixed_float16 --generator_optimizer.learning_rate=1.0 --discriminator_optimizer.learning_rate=1.0",
    ),
}
"""Name -> (the symptoms of which one is expected, keys of digits_dcgan)."""

HEALTHY = {
    "DCGAN": "",
    "DCGAN unconditional": "--conditional=False",
    "DCGAN no penalty": "--penalties.r1.weight=0",
    "DCGAN no augmentation": "--augment=",
    "DCGAN ADA": "--augment=ada",
    "DCGAN hinge": "--loss=hinge",
    "DCGAN least squares": "--loss=least_squares",
    "DCGAN relativistic": "--loss=relativistic",
    "DCGAN slow average": "--ema_decay=0.99",
    "DCGAN batch normalization": "--discriminator.normalization=batch",
    "half of the images": "--labels_per_class=60 --augment=translation",
}
"""Name -> keys of digits_dcgan."""


def train(workdir, text, seed):
    """Trains a GAN, unless it was trained before or has stopped at a value that is not finite. Returns False if it fails."""
    from ganlib import files
    from ganlib.runs import diagnosis

    if (files.read_dict(workdir / "run.json") or {}).get("finished_step") or diagnosis.read(workdir).get("stopped"):
        return True
    steps = [f"--steps={FLAGS.steps}"] if FLAGS.steps else []
    keys = [setting.replace("--", "--config.", 1) for setting in (*text.split(), *steps, f"--seed={seed}", "--sample_every=0")]
    command = [sys.executable, "-m", "experiments.train_gan", "--config=digits_dcgan", f"--workdir={workdir}", *keys]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    if result.returncode and not diagnosis.read(workdir).get("stopped"):
        print(f"failed: {' '.join(command)}\n{result.stderr[-500:]}", file=sys.stderr, flush=True)
        return False
    return True


def first_found(workdir):
    """Returns when each symptom was first reported: a dict from its name to a fraction of the training."""
    from ganlib import runs
    from ganlib.diagnostics import run as run_symptoms
    from ganlib.diagnostics.history import History

    run = runs.open_run(workdir)
    whole, found = runs.examination.history_of(run), {}
    for count, row in enumerate(whole.rows, 1):
        logs = [log for log in whole.logs if log["step"] <= row["step"]]
        for finding in run_symptoms.of_run(History(whole.rows[:count], whole.steps, logs)):
            found.setdefault(finding.symptom, row["step"] / whole.steps)
    if whole.stopped:
        last = max((row["step"] for row in [*whole.rows, *whole.logs]), default=0)
        found.setdefault("unstable", last / whole.steps)
    return found


def main():
    chosen = FLAGS.runs or [*SICK, *HEALTHY]
    lines = ["| run | expected | found, at | other symptoms |", "| --- | --- | --- | --- |"]
    for name in chosen:
        expected, text = SICK[name] if name in SICK else ("", HEALTHY[name])
        found, others = [], []
        for seed in FLAGS.seeds:
            workdir = pathlib.Path(FLAGS.workdir) / f"{name.replace(' ', '_')}_seed{seed}"
            if not train(workdir, text, seed):
                found.append("failed")
                continue
            symptoms = first_found(workdir)
            times = [symptoms[symptom] for symptom in expected.split(",") if symptom in symptoms]
            found.append(f"{min(times):.2f}" if times else "missed" if expected else "-")
            others += [f"{symptom} ({when:.2f})" for symptom, when in symptoms.items() if symptom not in expected.split(",")]
        lines.append(f"| {name} | {expected.replace(',', ' or ') or 'nothing'} | {', '.join(found)} | {', '.join(others)} |")
        print(lines[-1], flush=True)
    print("\n" + "\n".join(lines))


if __name__ == "__main__":
    flags.DEFINE_list("seeds", ["0", "1", "2"], "seeds of the trainings")
    flags.DEFINE_list("runs", [], "names of the runs; by default all")
    flags.DEFINE_integer("steps", 0, "steps of all runs; 0: those of the configs", lower_bound=0)
    flags.DEFINE_string("workdir", None, "folder for all runs", required=True)
    job.start(main)
