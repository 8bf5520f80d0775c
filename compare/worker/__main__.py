"""The worker process: it imports one implementation, and answers requests about it until its input ends.

It is started as `python -m compare.worker PACKAGE` with its environment already set (compare/processes/environment.py).
Requests come on standard input and answers go to the original standard output. All other output goes to standard error,
which is the worker's log.
"""

import importlib
import os
import sys
import traceback
from typing import BinaryIO, cast

from compare.processes.signals import die_with_parent_if_asked
from compare.rpc import messages, wire
from compare.worker import machine
from compare.worker.data_parallel import Shared
from compare.worker.machine import describe
from compare.worker.own import OwnCodeFailed
from compare.worker.peers import PeerFailed, Peers
from compare.worker.service import Service
from compare.worker.tiers import absent, missing
from compare.worker.training import Diverged
from shared.lean import for_good, leave
from shared.protocol import MODULE_TIERS, Implementation
from shared.world import World


def main() -> None:
    die_with_parent_if_asked()
    requests = sys.stdin.buffer
    answers = _take_over_stdout()
    try:
        world = World.here()
        if world.size > 1:
            _take_device(world)
        with for_good():
            implementation = cast(Implementation, importlib.import_module(sys.argv[1]))
            environment = describe(implementation.framework())
        peers = Peers(world) if world.size > 1 else None
        if peers is not None:
            n_devices = min(int(said) for said in peers.exchange(str(environment.n_cuda_devices).encode()))
            environment = environment.model_copy(update={"n_cuda_devices": n_devices})
    except Exception as error:  # any error is reported to the harness before this process ends
        _send(answers, _failed(error))
        raise SystemExit(1) from None
    lacking, names = missing(implementation, MODULE_TIERS), absent(implementation, MODULE_TIERS)
    if peers is None:
        _send(answers, messages.Ready(environment=environment, lacking=lacking, missing=names))
        serve(Service(implementation), requests, answers)
        return
    machine.count_in(peers.others)
    bench = Service(Shared(implementation, peers), agree=peers.as_the_first)
    if world.rank == 0:
        _send(answers, messages.Ready(environment=environment, lacking=lacking, missing=names))
        lead(bench, peers, requests, answers)
    else:
        follow(bench, peers)


def _take_device(world: World) -> None:
    """Use the CUDA device with this process's number, or none if there are fewer."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    devices = [str(n) for n in range(world.size)] if listed is None else [d for d in listed.split(",") if d]
    os.environ["CUDA_VISIBLE_DEVICES"] = devices[world.rank] if world.rank < len(devices) else ""


def serve(bench: Service, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests in their order until there are no more."""
    while (frame := wire.read(requests)) is not None:
        body, arrays = frame
        try:
            answer, sent = bench.do(messages.Request.of_body(body), arrays)
        except Exception as error:  # any error is reported to the harness, and the worker continues
            _send(answers, _failed(error))
        else:
            _send(answers, answer, sent)


def lead(bench: Service, peers: Peers, requests: BinaryIO, answers: BinaryIO) -> None:
    """Do `serve` as the first of several processes that all carry out each request. If one of them fails, this one
    ends, too: others may wait for it forever."""
    while (frame := wire.read(requests)) is not None:
        body, arrays = frame
        peers.tell(body, arrays)
        try:
            answer, sent = bench.do(messages.Request.of_body(body), arrays)
            peers.exchange(b"")
        except PeerFailed as failed:
            _send(answers, messages.Failed.model_validate_json(str(failed)))
            raise SystemExit(1) from None
        except Exception as error:  # any error is reported to the harness
            _send(answers, _failed(error))
            raise SystemExit(1) from None
        _send(answers, answer, sent)


def follow(bench: Service, peers: Peers) -> None:
    """Carry out the requests that the first of several processes passes on, until there are no more."""
    while (frame := peers.receive()) is not None:
        body, arrays = frame
        try:
            bench.do(messages.Request.of_body(body), arrays)
        except Exception as error:
            traceback.print_exc()
            peers.give_up(_failed(error).model_dump_json())
            raise SystemExit(1) from None
        peers.exchange(b"")


def _send(answers: BinaryIO, answer: messages.Answer, arrays: wire.Arrays | None = None) -> None:
    wire.write(answers, answer.body(), arrays or {})


def _take_over_stdout() -> BinaryIO:
    """Keep standard output for answers alone: other output of frameworks goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _failed(error: Exception) -> messages.Failed:
    if isinstance(error, OwnCodeFailed):
        return messages.Failed(error=error.message, traceback="", own_lines=error.lines)
    first, *_ = str(error).strip().splitlines() or [""]
    return messages.Failed(
        error=f"{type(error).__name__}: {first}",
        traceback=traceback.format_exc(),
        diverged=isinstance(error, Diverged),
    )


if __name__ == "__main__":
    main()
    leave()
