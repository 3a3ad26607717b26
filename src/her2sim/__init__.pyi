from .api.comparison import TwoArmStudy, compare
from .api.course import Course, course
from .api.covariates import CovariateEffects, covariates
from .api.crossvalidation import CrossValidated, crossvalidate
from .api.events import Predictions, simulate
from .api.explanation import ExplainedDifference, explain
from .api.exposure import Exposure, exposure
from .api.her2 import Eligible, TumourStatus, eligible, status
from .api.individual import Individual, individual
from .api.library import (
    DrugFacts,
    DrugList,
    RegimenFacts,
    RegimenList,
    TrialList,
    drug,
    drug_list,
    regimen,
    regimen_list,
    trial_list,
)
from .api.patients import Patients, population
from .api.plan import Check, Plan, check, plan
from .api.plans import ComparedPlans, delay, interval, switch
from .api.regimen import RegimenExposure, regimen_exposure
from .api.scorecard import Scorecard, score
from .api.sensitivity import SobolIndices, sensitivity
from .api.shortage import ShortSupply, shortage
from .api.treatment import TreatedPatients, treat
from .api.trial import TrialResult, run_trial
from .api.trial_size import DesignGrid, TrialSize, design_grid, trial_size
from .api.validation import Validation, validate
from .api.vpc import PredictiveCheck, vpc
from .api.washout import Washout, washout
from .api.weight import ExposureByWeight, weight

__version__: str

__all__ = [
    "Check",
    "ComparedPlans",
    "Course",
    "CovariateEffects",
    "CrossValidated",
    "DesignGrid",
    "DrugFacts",
    "DrugList",
    "Eligible",
    "ExplainedDifference",
    "Exposure",
    "ExposureByWeight",
    "Individual",
    "Patients",
    "Plan",
    "Predictions",
    "PredictiveCheck",
    "RegimenExposure",
    "RegimenFacts",
    "RegimenList",
    "Scorecard",
    "ShortSupply",
    "SobolIndices",
    "TreatedPatients",
    "TrialList",
    "TrialResult",
    "TrialSize",
    "TumourStatus",
    "TwoArmStudy",
    "Validation",
    "Washout",
    "check",
    "compare",
    "course",
    "covariates",
    "crossvalidate",
    "delay",
    "design_grid",
    "drug",
    "drug_list",
    "eligible",
    "explain",
    "exposure",
    "individual",
    "interval",
    "plan",
    "population",
    "regimen",
    "regimen_exposure",
    "regimen_list",
    "run_trial",
    "score",
    "sensitivity",
    "shortage",
    "simulate",
    "status",
    "switch",
    "treat",
    "trial_list",
    "trial_size",
    "validate",
    "vpc",
    "washout",
    "weight",
]
