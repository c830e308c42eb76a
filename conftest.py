"""Settings for every test and every notebook's kernel: those with which notebooks are stored, not the user's own."""

import os
import tempfile

# Deleted when the tests end. Shared, so that notebook 03 finds the training of notebook 02 as it does when stored.
RUNS = tempfile.TemporaryDirectory(prefix="fer_runs_", ignore_cleanup_errors=True)

os.environ.update(FER_DATA="drawn", FER_PROFILE="quick", FER_PROGRESS="0", FER_RUNS=RUNS.name, TF_CPP_MIN_LOG_LEVEL="3")
# A backend of the user's own choice would keep the figures out of the notebooks.
os.environ.pop("MPLBACKEND", None)
