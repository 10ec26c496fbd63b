"""``headtune push``: a run to a repository of the hub, proved before it leaves."""

from typing import Annotated

from cyclopts import Parameter

from headtune.cli.common import (
    GENERAL,
    BaseModel,
    DebugFlag,
    JsonFlag,
    RunFolder,
    TrustFlag,
    machine_that_trusts,
    print_json,
    say,
    show,
    waiting,
)

__all__ = ["push"]


def push(
    run: RunFolder,
    repository: Annotated[
        str, Parameter(name="USER/NAME", group=GENERAL, help="The repository to create.")
    ],
    /,
    *,
    private: Annotated[
        bool,
        Parameter(group=GENERAL, negative="", show_default=False, help="Let nobody else read it."),
    ] = False,
    overwrite: Annotated[
        bool,
        Parameter(
            group=GENERAL,
            negative="",
            show_default=False,
            help="Add a commit to a repository that is there already.",
        ),
    ] = False,
    model: BaseModel = None,
    trusted: TrustFlag = False,
    json: JsonFlag = False,
    debug: DebugFlag = False,
) -> None:
    """Send a run to the hub, with its model card.

    For example:
      headtune push runs/messages me/messages --private

    The run is loaded first, with all its checks: what does not verify is not
    sent. Reports, probes and parts hold texts of your data, and they go along.
    """
    with waiting("Checking and sending the run"):
        from headtune.artifact.push import push_run

        url = push_run(
            run,
            repository,
            private=private,
            overwrite=overwrite,
            model=model,
            machine=machine_that_trusts(trusted),
        )
    if json:
        print_json({"url": url, "private": private})
        return
    show(url)
    say(f"To fetch it: hf download {repository} --local-dir runs/{repository.split('/')[1]}")
