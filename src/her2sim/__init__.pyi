from .api.course import Course, course
from .api.events import Predictions, simulate
from .api.exposure import Exposure, exposure
from .api.her2 import Eligible, TumourStatus, eligible, status
from .api.patients import Patients, population
from .api.plan import Check, Plan, check, plan
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
    "TreatedPatients",
    "TrialResult",
    "TumourStatus",
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
