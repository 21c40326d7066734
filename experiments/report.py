"""Compares several runs on one page:
python -m experiments.report --workdirs=runs/first,runs/second --output=comparison.html

The page begins with the config keys that differ, the results, the curves of all runs over each other, and their samples of the
same latents side by side. The report of each run follows. With one folder, its report is written again. Training jobs write the
report of a run themselves.
"""

from absl import flags

from experiments.common import job

WORKDIRS = flags.DEFINE_list("workdirs", None, "folders of the runs, as in runs/first,runs/second", required=True)
OUTPUT = flags.DEFINE_string("output", "comparison.html", "HTML file to write")


def main():
    from ganlib import UserError
    from ganlib.runs import comparison, report

    workdirs = [workdir.strip() for workdir in WORKDIRS.value if workdir.strip()]
    if not OUTPUT.value.endswith((".html", ".htm")):
        raise UserError(f"--output={OUTPUT.value} must end in .html")
    if len(workdirs) == 1:
        path = report.write(OUTPUT.value, workdirs, title=workdirs[0])
    else:
        path = comparison.write(OUTPUT.value, workdirs)
    print(f"report: {path}")


if __name__ == "__main__":
    job.start(main)
