"""The start-up and error handling of every job: absl flags, one-line messages for errors that the user can fix, exit statuses.

0: success. 1: a bug in ganlib, with its traceback. 2: an invalid flag, a `ganlib.UserError`, or a file system error, printed as
one line. 3: another worker of a distributed training is lost. 130 or 143: training was stopped by SIGINT (the keyboard) or
SIGTERM (a cluster that reclaims the machine) after saving a checkpoint.
"""

import sys

from absl import app, flags, logging
from ml_collections import config_flags

from experiments.common import config_arguments
from ganlib.errors import Stopped, UserError

flags.disclaim_key_flags()  # so that a job's `--help` lists the flags that this module defines

IMAGE_SIZE = "size to resize images to, such as 64, or 64x96 for height x width"
"""The description of a flag whose value `ganlib.data.sizes.parsed` reads."""

WORKER_LOST = "error: another worker is lost: restart all workers to resume from the newest checkpoint"


def define_training_flags():
    """Defines the flags of every training job. They are defined when a job runs, so that one job can import another."""
    config_flags.DEFINE_config_file(
        "config", None, "config file, or its name in experiments/configs; set its keys with --config.KEY=VALUE"
    )
    flags.DEFINE_string("workdir", None, "folder of the run")
    flags.DEFINE_bool("accept_new_config", False, "resume in a workdir that was created with another config or other data")
    define_strategy_flags()
    flags.mark_flags_as_required(["config", "workdir"])


def define_strategy_flags():
    """Defines the flags of every job that can train on several devices: see `strategy`."""
    flags.DEFINE_enum(
        "strategy",
        "auto",
        ["auto", "one_device", "mirrored", "multi_worker", "tpu"],
        "distribution strategy: auto uses every GPU of this machine, or, if TF_CONFIG is set, of all workers",
    )
    flags.DEFINE_integer(
        "replicas", 0, "number of GPUs for auto and mirrored, 0 for all; without GPUs: of virtual devices", lower_bound=0
    )


def strategy():
    """Creates the `tf.distribute.Strategy` that the flags name."""
    from ganlib.training import strategy

    return strategy.create(flags.FLAGS.strategy, flags.FLAGS.replicas)


def config():
    """Returns the config from the flags. Keys that the command line leaves unused are reset to their defaults."""
    from experiments import configs

    flag = flags.FLAGS["config"]
    return configs.settled(flag.value, flag.parser.parse(flag.config_filename))


def start(main):
    """Parses the flags and calls ``main()``. Every job calls it under ``if __name__ == "__main__"``."""

    def guarded(argv):
        logging.set_verbosity(logging.WARNING)
        try:
            if len(argv) > 1:
                raise UserError(f"unexpected argument {argv[1]!r}: write options as --name=value")
            main()
        except (UserError, OSError) as error:  # OSError: a read-only folder, a full disk
            print(f"error: {error}", file=sys.stderr, flush=True)
            sys.exit(2)
        except Stopped as stop:
            print(stop, file=sys.stderr, flush=True)
            sys.exit(128 + stop.signal)
        except KeyboardInterrupt:
            print("\ninterrupted: run the same command to resume from the newest checkpoint", file=sys.stderr, flush=True)
            sys.exit(130)
        except Exception as error:
            from ganlib.training import strategy

            if not strategy.is_worker_lost(error):
                raise
            print(WORKER_LOST, file=sys.stderr, flush=True)
            sys.exit(3)

    app.run(guarded, flags_parser=parse)


def parse(argv):
    """Parses absl's flags. Prints one line for a config file or key that does not exist."""
    added = {}
    if "config" in flags.FLAGS:
        argv, added = config_arguments.split_added(config_arguments.with_paths(argv))
        sys.argv[:] = argv  # config flags look for keys there
    try:
        remaining = flags.FLAGS(argv)
        if "config" in flags.FLAGS:
            _ = flags.FLAGS.config.steps  # a config file that failed to load raises on first use
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
    except Exception as error:  # raised by the code of the config file
        message = f"the config file failed: {type(error).__name__}: {error}"
    print("error: " + " ".join(message.split()), file=sys.stderr, flush=True)
    sys.exit(2)
