"""What can go wrong in training, in words for the person at the keyboard.

TrainingError
├── DescriptionError  the file that describes the table cannot be read, or says what cannot be
├── DataError       the dataset is missing, altered or not what a model can be trained on
├── LogsError       CloudWatch has no such log, or none that may be read
├── RegistryError   MLflow does not have what was asked for, or cannot be reached
├── ScoreError      a table cannot be scored: the model, the data or the place for the scores will not do
├── ProofError      the service would not predict what XGBoost predicts
└── StoreError      the model store cannot be read or written, or holds something else
    └── OtherFormatError  a published manifest is of another format than this program's
"""


class TrainingError(Exception):
    """Ends a command with exit code 1; its text is the one line that the user sees."""


class DescriptionError(TrainingError):
    """The table's description cannot be read, or says what cannot be; the text lists every fault."""


class DataError(TrainingError):
    """The dataset is missing, altered or not what a model can be trained on."""


class LogsError(TrainingError):
    """CloudWatch Logs does not have what was asked for, or does not let it be read."""


class RegistryError(TrainingError):
    """MLflow does not have what was asked for, or cannot be reached."""


class ScoreError(TrainingError):
    """A table cannot be scored: the model, the data or the place for the scores will not do."""


class ProofError(TrainingError):
    """The service's own tree walk would not predict what XGBoost predicts."""


class StoreError(TrainingError):
    """The model store cannot be read or written, or already holds something else."""


class OtherFormatError(StoreError):
    """A published manifest is of another format than this program reads."""
