from .api.events import Predictions, simulate
from .api.exposure import Exposure, exposure
from .api.patients import Patients, population
from .api.treatment import TreatedPatients, treat
from .api.trial import TrialResult, run_trial

__version__: str

__all__ = [
    "Exposure",
    "Patients",
    "Predictions",
    "TreatedPatients",
    "TrialResult",
    "exposure",
    "population",
    "run_trial",
    "simulate",
    "treat",
]
