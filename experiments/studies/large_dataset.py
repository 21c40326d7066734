"""Prepares a million images and trains on them with two workers, one of whose runs is killed and resumed:
python -m experiments.studies.large_dataset --folder=/data/million

The images are synthetic: PNG files of 64x64 pixels in ten classes. The study prints how long it takes to prepare them and how
much space they need, how many bytes of records each worker reads, and whether the weights of a run that was killed and resumed
are bit-identical to those of an uninterrupted run.
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
from absl import flags

from experiments.benchmarks import data as benchmark_data
from experiments.common import job, processes

FLAGS = flags.FLAGS
KILLED_AT = 0.6  # of the steps


def write_images(folder, count):
    """Writes the PNG files, a thousand to a folder below that of their class. Skips folders that are complete."""
    from PIL import Image
    from tqdm import tqdm

    patterns = np.stack([benchmark_data.picture(64, seed) for seed in range(256)])

    def write(block):
        target = folder / str(block % 10) / f"{block:05d}"
        size = min(1000, count - 1000 * block)
        if target.exists() and len(os.listdir(target)) == size:
            return
        target.mkdir(parents=True, exist_ok=True)
        for index in range(size):
            number = 1000 * block + index
            image = np.roll(patterns[number % 256], number // 256, axis=1)
            Image.fromarray(image).save(target / f"{number:07d}.png", compress_level=1)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(tqdm(pool.map(write, range(-(-count // 1000))), total=-(-count // 1000), desc="files", unit=" thousand"))


def start_workers(workdir, steps):
    """Starts two workers that train on the prepared images. Returns the processes."""
    arguments = [f"--folder={FLAGS.folder}", f"--train_in={workdir}", f"--steps={steps}"]
    command = [sys.executable, "-m", "experiments.studies.large_dataset", *arguments]
    environments = processes.worker_environments(2)
    return [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for environment in environments]


def train(workdir, steps):
    """Trains as one of two workers, and prints the bytes of records that this worker has read."""
    from experiments import train_gan
    from experiments.configs import base
    from ganlib.data.records import Records
    from ganlib.training import strategy

    config = base.gan()
    config.update(dataset=f"prepared:{FLAGS.folder}/x64", networks="dcgan", batch_size=64, steps=steps, seed=0)
    config.update(checkpoint_every=max(1, steps // 4), log_every=10, sample_every=0)
    config.generator.width = config.discriminator.width = 8
    distribution = strategy.create("multi_worker")
    train_gan.train(config, workdir, strategy=distribution)
    print(json.dumps({"bytes_read": Records.bytes_read}), flush=True)


def finish(workers):
    """Waits for workers, and returns the bytes that each has read."""
    outputs = [worker.communicate()[0] for worker in workers]
    if any(worker.returncode for worker in workers):
        sys.exit(1)  # the worker has printed why
    return [json.loads(output.splitlines()[-1])["bytes_read"] for output in outputs]


def kill_at(workers, workdir, step):
    """Kills workers once the run has a checkpoint and has logged a step. Returns the step."""
    while True:
        time.sleep(0.05)
        rows = workdir / "metrics.jsonl"
        logged = [json.loads(line)["step"] for line in rows.read_text().splitlines()] if rows.exists() else [0]
        if logged and logged[-1] >= step and any((workdir / "checkpoints").iterdir()):
            break
    for worker in workers:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    return logged[-1]


def weights_of(workdir):
    """Returns all weights of the GAN of a run, a list of arrays."""
    from ganlib import runs

    return [weight.numpy() for weight in runs.load_gan(workdir).weights]


def main():
    if FLAGS.train_in:
        return train(pathlib.Path(FLAGS.train_in), FLAGS.steps)
    folder = pathlib.Path(FLAGS.folder)
    write_images(folder / "files", FLAGS.images)
    started = time.perf_counter()
    arguments = [f"--dataset=folder:{folder / 'files'}", f"--output={folder / 'x64'}", "--encoding=raw"]
    subprocess.run([sys.executable, "-m", "experiments.prepare", *arguments], check=True)
    size = sum(path.stat().st_size for path in (folder / "x64").rglob("*") if path.is_file())
    print(f"{FLAGS.images} images prepared in {time.perf_counter() - started:.0f} s: {size / 1e9:.2f} GB")
    whole, killed = folder / "uninterrupted", folder / "killed"
    for workdir in (whole, killed):
        shutil.rmtree(workdir, ignore_errors=True)
    for index, count in enumerate(finish(start_workers(whole, FLAGS.steps))):
        print(f"worker {index} read {count / 1e6:.1f} MB of records in {FLAGS.steps} steps")
    step = kill_at(start_workers(killed, FLAGS.steps), killed, int(KILLED_AT * FLAGS.steps))
    for index, count in enumerate(finish(start_workers(killed, FLAGS.steps))):
        print(f"killed after step {step} and resumed: worker {index} read {count / 1e6:.1f} MB of records")
    pairs = zip(weights_of(whole), weights_of(killed), strict=True)
    equal = all(np.array_equal(first, second) for first, second in pairs)
    print(f"the weights are {'bit-identical' if equal else 'different'}")


if __name__ == "__main__":
    flags.DEFINE_string("folder", None, "folder for the files, the prepared dataset and the runs", required=True)
    flags.DEFINE_integer("images", 1_000_000, "number of images", lower_bound=64)
    flags.DEFINE_integer("steps", 200, "training steps", lower_bound=4)
    flags.DEFINE_string("train_in", None, "folder of a run: train as one of its workers (used by this study itself)")
    job.start(main)
