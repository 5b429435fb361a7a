"""The other side of peers.ts: the same rows through scikit-learn, netcal and MAPIE. Prints one JSON document.

    python peers.py FOLDER    (needs numpy, scikit-learn, netcal, mapie; written by and called from peers.ts)
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")
folder = Path(sys.argv[1])
shape = json.loads((folder / "shape.json").read_text())


def read(part):
    p = np.fromfile(folder / f"{part}.p.f64", dtype=np.float64).reshape(-1, shape["labels"])
    return p, np.fromfile(folder / f"{part}.y.i32", dtype=np.int32)


fit_p, fit_y = read("fit")
test_p, test_y = read("test")
fit_c, fit_right = fit_p.max(1), (fit_p.argmax(1) == fit_y).astype(int)
test_c, test_right = test_p.max(1), (test_p.argmax(1) == test_y).astype(int)
results = {}


def timed(name, work, repeats=5):
    """The median processor time of some runs, and the last result."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        value = work()
        seconds.append(time.process_time() - start)
    results[name] = {"seconds": float(np.median(seconds)), "value": np.asarray(value, dtype=float).ravel().tolist()}


from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

clipped = np.clip(test_p, 1e-12, None)
onehot = np.eye(shape["labels"])[test_y]
timed("scikit-learn: accuracy", lambda: accuracy_score(test_y, test_p.argmax(1)))
timed("scikit-learn: log loss", lambda: log_loss(test_y, clipped / clipped.sum(1, keepdims=True), labels=range(shape["labels"])))
timed("scikit-learn: Brier score", lambda: np.mean(np.sum((test_p - onehot) ** 2, axis=1)))
timed("scikit-learn: AUROC", lambda: roc_auc_score(test_right, test_c))
timed(
    "scikit-learn: isotonic",
    lambda: IsotonicRegression(out_of_bounds="clip").fit(fit_c, fit_right).predict(test_c),
)
logit = lambda p: np.log(np.clip(p, 1e-12, 1 - 1e-12)) - np.log1p(-np.clip(p, 1e-12, 1 - 1e-12))
timed("scikit-learn: Platt", lambda: _SigmoidCalibration().fit(logit(fit_c), fit_right).predict(logit(test_c)))

from scipy.optimize import minimize_scalar


def scipy_temperature():
    """The same question to another solver: clipped at the same place."""
    logs = np.log(np.clip(fit_p, 1e-8, None))

    def loss(t):
        z = logs / t
        return (np.log(np.exp(z - z.max(1, keepdims=True)).sum(1)) + z.max(1) - z[np.arange(len(fit_y)), fit_y]).mean()

    return minimize_scalar(loss, bounds=(0.1, 10), method="bounded", options={"xatol": 1e-9}).x


timed("scipy: temperature", scipy_temperature)

from netcal.binning import IsotonicRegression as NetcalIsotonic
from netcal.metrics import ECE, MCE
from netcal.scaling import TemperatureScaling

timed("netcal: ECE", lambda: ECE(15).measure(test_p, test_y))
timed("netcal: MCE", lambda: MCE(15).measure(test_p, test_y))


def temperature():
    scaling = TemperatureScaling()
    scaling.fit(fit_p, fit_y, random_state=1, tensorboard=False)
    return 1 / scaling.temperature[0]


timed("netcal: temperature", temperature, repeats=1)


def isotonic():
    fitted = NetcalIsotonic()
    fitted.fit(fit_c, fit_right)
    return fitted.transform(test_c)


timed("netcal: isotonic", isotonic)


def without_ties(c):
    return c * (1 - 1e-6 * np.arange(len(c)) / len(c))


def histogram():
    """netcal cannot apply bins of equal mass; numpy can."""
    c = without_ties(fit_c)
    bins = np.split(np.argsort(c), np.ceil(np.arange(1, 15) * len(c) / 15).astype(int))
    values = np.array([(fit_right[b].sum() + 0.5) / (len(b) + 1) for b in bins])
    edges = [(c[a[-1]] + c[b[0]]) / 2 for a, b in zip(bins, bins[1:])]
    return values[np.searchsorted(edges, without_ties(test_c))]


timed("numpy: histogram", histogram)

from mapie.classification import SplitConformalClassifier
from sklearn.base import BaseEstimator, ClassifierMixin


class Given(ClassifierMixin, BaseEstimator):
    """Rows are their own probabilities."""

    def __init__(self):
        self.classes_ = np.arange(shape["labels"])
        self.n_features_in_ = shape["labels"]
        self.fitted_ = True

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return np.asarray(X)

    def predict(self, X):
        return self.classes_[np.asarray(X).argmax(1)]


def sets(score, **options):
    """Set of each test row as a bit mask."""
    conformal = SplitConformalClassifier(Given(), confidence_level=0.9, conformity_score=score, prefit=True, random_state=1)
    # MAPIE wants probabilities that add up to 1 closer than a file of eight decimals has them.
    conformal.conformalize(fit_p / fit_p.sum(1, keepdims=True), fit_y)
    _, chosen = conformal.predict_set(test_p / test_p.sum(1, keepdims=True), conformity_score_params=options or None)
    return chosen[:, :, 0] @ (1 << np.arange(shape["labels"]))


timed("MAPIE: LAC", lambda: sets("lac"))
timed("MAPIE: APS", lambda: sets("aps", include_last_label=True))
print(json.dumps(results))
