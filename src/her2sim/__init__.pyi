from .api.events import Predictions, simulate
from .api.exposure import Exposure, exposure
from .api.patient import (
    Check,
    Course,
    Eligible,
    Plan,
    Status,
    check,
    course,
    eligible,
    plan,
    status,
)
from .api.patients import Patients, population
from .api.treatment import TreatedPatients, treat
from .api.trial import TrialResult, run_trial

__version__: str

__all__ = [
    "Check",
    "Course",
    "Eligible",
    "Exposure",
    "Patients",
    "Plan",
    "Predictions",
    "Status",
    "TreatedPatients",
    "TrialResult",
    "check",
    "course",
    "eligible",
    "exposure",
    "plan",
    "population",
    "run_trial",
    "simulate",
    "status",
    "treat",
]
