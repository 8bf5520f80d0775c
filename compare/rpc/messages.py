"""What the harness can ask of a worker, and what a worker can answer. Arrays travel beside a message, by name
(compare/rpc/wire.py).

A worker announces itself with `Ready`. From then on every request gets exactly one answer: the one named beside it,
or `Failed`.
"""

from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter

from compare.rpc.answers import (
    ArraysSent,
    Counted,
    Created,
    DataLoaded,
    EpochEnd,
    Evaluation,
    Failed,
    FingerprintSent,
    Fitted,
    Limits,
    LossSent,
    Memory,
    Profile,
    Ready,
    Restored,
    Slice,
    Window,
)
from compare.rpc.message import Message
from compare.rpc.requests import (
    AnswerRow,
    Create,
    Evaluate,
    Export,
    FitEpoch,
    GetActivations,
    GetCounts,
    GetFingerprint,
    GetGradients,
    GetLimits,
    GetLogits,
    GetMemory,
    GetOptimizerState,
    GetProfile,
    GetState,
    GetWeights,
    LoadData,
    Restore,
    Timed,
    TimeWindow,
    TrainSlice,
)

__all__ = [
    "ANSWER",
    "REQUEST",
    "Answer",
    "AnswerRow",
    "ArraysSent",
    "Counted",
    "Create",
    "Created",
    "DataLoaded",
    "EpochEnd",
    "Evaluate",
    "Evaluation",
    "Export",
    "Failed",
    "FingerprintSent",
    "FitEpoch",
    "Fitted",
    "GetActivations",
    "GetCounts",
    "GetFingerprint",
    "GetGradients",
    "GetLimits",
    "GetLogits",
    "GetMemory",
    "GetOptimizerState",
    "GetProfile",
    "GetState",
    "GetWeights",
    "Limits",
    "LoadData",
    "LossSent",
    "Memory",
    "Message",
    "Profile",
    "Question",
    "Ready",
    "Request",
    "Restore",
    "Restored",
    "Slice",
    "TimeWindow",
    "Timed",
    "TrainSlice",
    "Window",
]

Question = (
    GetWeights
    | GetState
    | GetOptimizerState
    | GetActivations
    | GetLogits
    | GetGradients
    | GetFingerprint
    | GetCounts
    | AnswerRow
    | Export
    | GetMemory
    | GetLimits
)
Request = LoadData | Create | Restore | TrainSlice | FitEpoch | Evaluate | TimeWindow | GetProfile | Question
Answer = (
    Ready
    | DataLoaded
    | Created
    | Restored
    | Slice
    | Fitted
    | Evaluation
    | Window
    | Limits
    | Profile
    | ArraysSent
    | LossSent
    | FingerprintSent
    | Counted
    | Memory
    | Failed
)
# Built when first used: a worker only reads requests, and the harness only answers.
_LATER = ConfigDict(defer_build=True)
REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="kind")], config=_LATER)
ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")], config=_LATER)
