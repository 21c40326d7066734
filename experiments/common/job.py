"""How every job starts and fails: absl flags, one line for what the user can mend, and an exit status.

0: done. 1: a bug of ours, with its traceback. 2: a bad flag, a `ganlib.UserError`, or an error of the file system,
printed as one line. 3: another worker of a distributed training is gone. 130 or 143: training was asked to stop, by SIGINT
(the keyboard) or SIGTERM (a cluster that takes the machine back), and has saved a checkpoint.
"""

import sys

from absl import app, flags, logging
from ml_collections import config_flags

from experiments.common import config_arguments
from ganlib.errors import Stopped, UserError

flags.disclaim_key_flags()  # a job's own `--help` lists the flags that are defined here for it

WORKER_LOST = "error: another worker is gone: start all of them again, and they go on from the newest checkpoint"


def define_training_flags():
    """The flags of every training job. They are defined when a job runs, so that one may import another."""
    config_flags.DEFINE_config_file(
        "config", None, "the experiment's config file, or its name in experiments/configs; its keys are --config.KEY=VALUE"
    )
    flags.DEFINE_string("workdir", None, "the run's folder")
    flags.DEFINE_bool("accept_new_config", False, "go on in a workdir that was made with another config or other data")
    define_strategy_flags()
    flags.mark_flags_as_required(["config", "workdir"])


def define_strategy_flags():
    """The flags of every job that trains on several devices: see `strategy`."""
    flags.DEFINE_enum("strategy", "auto", ["auto", "one_device", "mirrored", "multi_worker", "tpu"], "where to train: auto "
                      "takes every GPU of this machine, or, where TF_CONFIG is set, of all workers")  # fmt: skip
    flags.DEFINE_integer(
        "replicas", 0, "of auto and mirrored: how many GPUs, 0 for all; without GPUs: virtual devices", lower_bound=0
    )


def strategy():
    """The `tf.distribute.Strategy` that the flags name."""
    from ganlib.training import strategy

    return strategy.create(flags.FLAGS.strategy, flags.FLAGS.replicas)


def config():
    """The config of the flags, without what its file sets for something that the command line has switched off."""
    from experiments import configs

    flag = flags.FLAGS["config"]
    return configs.settled(flag.value, flag.parser.parse(flag.config_filename))


def start(main):
    """Parses the flags and calls ``main()``; the body of every job's ``if __name__ == "__main__"``."""

    def guarded(argv):
        logging.set_verbosity(logging.WARNING)
        try:
            if len(argv) > 1:
                raise UserError(f"unexpected argument {argv[1]!r}: options are written --name=value")
            main()
        except (UserError, OSError) as error:  # OSError: a folder that cannot be written to, a full disk
            print(f"error: {error}", file=sys.stderr, flush=True)
            sys.exit(2)
        except Stopped as stop:
            print(stop, file=sys.stderr, flush=True)
            sys.exit(128 + stop.signal)
        except KeyboardInterrupt:
            print("\ninterrupted: the same command goes on from the newest checkpoint", file=sys.stderr, flush=True)
            sys.exit(130)
        except Exception as error:
            from ganlib.training import strategy

            if not strategy.is_worker_lost(error):
                raise
            print(WORKER_LOST, file=sys.stderr, flush=True)
            sys.exit(3)

    app.run(guarded, flags_parser=parse)


def parse(argv):
    """absl's flags of a job, with one line for a config file or key that does not exist."""
    added = {}
    if "config" in flags.FLAGS:
        argv, added = config_arguments.split_added(config_arguments.with_paths(argv))
        sys.argv[:] = argv  # where config flags look for keys
    try:
        remaining = flags.FLAGS(argv)
        if "config" in flags.FLAGS:
            _ = flags.FLAGS.config.steps  # a config file that did not load says so when it is first used
            config_arguments.add(flags.FLAGS.config, added)
        return remaining
    except flags.Error as error:
        message = str(error)
    except (AttributeError, KeyError) as error:  # ml_collections: "'stepz'\nDid you mean ..."
        message = "unknown config key: " + str(error.args[0]).replace("\\n", ". ").replace("\\'", "").strip("'\"")
    except OSError as error:
        message = str(error).split("earlier failure to load: ")[-1].replace("config_config", "")
    except (TypeError, ValueError) as error:
        message = f"bad config value: {error}"
    except Exception as error:  # of the config file's own code
        message = f"the config file failed: {type(error).__name__}: {error}"
    print("error: " + " ".join(message.split()), file=sys.stderr, flush=True)
    sys.exit(2)
