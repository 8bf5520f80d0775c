"""Every option of every command, each declared once: the command line, its help, the checks, the JSON schema and the
documentation's tables are made from these declarations."""

from compare.options.base import Options
from compare.options.bench import BenchOptions
from compare.options.folders import (
    DiffOptions,
    ExportOptions,
    ReportOptions,
    RunsOptions,
    VerifyOptions,
    VisualizeOptions,
)
from compare.options.inventory import ContractOptions, DataOptions, DoctorOptions, ModelsOptions
from compare.options.parity import ParityOptions
from compare.options.port import PortOptions
from compare.options.run import RunOptions

# The commands, in the order of the help.
OPTIONS: dict[str, type[Options]] = {
    "run": RunOptions,
    "data": DataOptions,
    "doctor": DoctorOptions,
    "models": ModelsOptions,
    "contract": ContractOptions,
    "parity": ParityOptions,
    "port": PortOptions,
    "bench": BenchOptions,
    "report": ReportOptions,
    "runs": RunsOptions,
    "verify": VerifyOptions,
    "diff": DiffOptions,
    "export": ExportOptions,
    "visualize": VisualizeOptions,
}
