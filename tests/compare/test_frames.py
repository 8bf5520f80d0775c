"""A run as pandas frames, and the notebook in docs that shows them."""

from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient
from patience import GENEROUS_S
from results import result

from compare import frames
from compare.analysis.seeds import Judging
from compare.folders.run_folder import load_results
from shared.errors import InputError

NOTEBOOK = Path(__file__).parents[2] / "docs" / "reading_a_run.ipynb"


def test_frames_hold_what_the_records_do(run_folder: Path) -> None:
    results = load_results(run_folder)
    table, epochs, steps = frames.runs(run_folder), frames.epochs(run_folder), frames.steps(run_folder)
    saved = pd.read_csv(run_folder / "results.csv")
    assert list(table.columns) == list(saved.columns)
    assert table["test_accuracy"].tolist() == saved["test_accuracy"].tolist()
    for done in results:
        assert done.outcome
        own = steps[(steps.implementation == done.run.implementation) & (steps.seed == done.run.train.seed)]
        assert own["loss"].tolist() == list(done.outcome.samples.loss)
        assert own["seconds"].tolist() == list(done.outcome.samples.step_s)
        assert own["step"].tolist() == list(range(1, len(own) + 1))
        assert own.groupby("turn").size().tolist() == list(done.outcome.samples.slice_steps)
        of_run = epochs[epochs.seed == done.run.train.seed]
        assert of_run["test_accuracy"].tolist() == [e.test_accuracy for e in done.outcome.epochs]
    assert "validation_loss" not in epochs
    assert np.isfinite(steps[["loss", "seconds"]].to_numpy()).all()


def test_a_folder_that_holds_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no records"):
        frames.steps(tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results").mkdir()
    for name in ("torch", "keras", "tf_lowlevel"):
        for seed in range(2):
            one = result(implementation=name, seed=seed, slice_steps=(23, 23))
            (tmp_path / "results" / f"{one.name}.json").write_text(one.model_dump_json())
    (tmp_path / "study.json").write_text(Judging(implementations=("torch", "keras", "tf_lowlevel")).model_dump_json())
    monkeypatch.setenv("COMPARE_RUN", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parents[1]))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=GENEROUS_S, kernel_name="python3").execute()  # raises an error if a cell does
    kinds = [output.output_type for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert kinds.count("display_data") + kinds.count("execute_result") >= 4
    assert "error" not in kinds


def test_the_notebook_is_kept_with_what_it_shows() -> None:
    """A code host shows its last run: every cell in order, no error, and no path of the machine."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert "/tmp/" not in NOTEBOOK.read_text()
    assert all(output.output_type != "error" for cell in code for output in cell.outputs)
