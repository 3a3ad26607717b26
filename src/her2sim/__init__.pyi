from .api.comparison import TwoArmStudy, compare
from .api.course import Course, course
from .api.events import Predictions, simulate
from .api.explanation import ExplainedDifference, explain
from .api.exposure import Exposure, exposure
from .api.her2 import Eligible, TumourStatus, eligible, status
from .api.patients import Patients, population
from .api.plan import Check, Plan, check, plan
from .api.plans import ComparedPlans, delay, interval, switch
from .api.regimen import RegimenExposure, regimen_exposure
from .api.sensitivity import SobolIndices, sensitivity
from .api.shortage import ShortSupply, shortage
from .api.treatment import TreatedPatients, treat
from .api.trial import TrialResult, run_trial
from .api.validation import Validation, validate
from .api.washout import Washout, washout
from .api.weight import ExposureByWeight, weight

__version__: str

__all__ = [
    "Check",
    "ComparedPlans",
    "Course",
    "Eligible",
    "ExplainedDifference",
    "Exposure",
    "ExposureByWeight",
    "Patients",
    "Plan",
    "Predictions",
    "RegimenExposure",
    "ShortSupply",
    "SobolIndices",
    "TreatedPatients",
    "TrialResult",
    "TumourStatus",
    "TwoArmStudy",
    "Validation",
    "Washout",
    "check",
    "compare",
    "course",
    "delay",
    "eligible",
    "explain",
    "exposure",
    "interval",
    "plan",
    "population",
    "regimen_exposure",
    "run_trial",
    "sensitivity",
    "shortage",
    "simulate",
    "status",
    "switch",
    "treat",
    "validate",
    "washout",
    "weight",
]
