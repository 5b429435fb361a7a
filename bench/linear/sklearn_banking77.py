"""The peer: scikit-learn's TF-IDF (word 1-2-grams + character 2-5-grams) with a linear model, on Banking77.

Usage: sklearn_banking77.py FOLDER (svm | logistic) [--validation ROWS] [--min-df N]. Prints one line of JSON. Threads: OMP_NUM_THREADS.
Trains on all rows of train.csv but those listed in --validation (a JSON list of row numbers).
"""

import argparse
import csv
import json
import resource
import time

started = time.perf_counter()

from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.pipeline import make_union  # noqa: E402
from sklearn.svm import LinearSVC  # noqa: E402


def read(path):
    with open(path, encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["label"] for row in rows]


parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("model", choices=["svm", "logistic"])
parser.add_argument("--validation", default="[]")
parser.add_argument("--min-df", type=int, default=1)
arguments = parser.parse_args()

imported = time.perf_counter()
texts, labels = read(f"{arguments.folder}/train.csv")
left_out = set(json.loads(arguments.validation))
texts = [text for i, text in enumerate(texts) if i not in left_out]
labels = [label for i, label in enumerate(labels) if i not in left_out]
test_texts, test_labels = read(f"{arguments.folder}/test.csv")

options = {"sublinear_tf": True, "min_df": arguments.min_df}
features = make_union(
    TfidfVectorizer(ngram_range=(1, 2), **options),
    TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **options),
)
matrix = features.fit_transform(texts)
vectorised = time.perf_counter()
model = LinearSVC() if arguments.model == "svm" else LogisticRegression(C=100, max_iter=1000)
model.fit(matrix, labels)
fitted = time.perf_counter()
predicted = model.predict(features.transform(test_texts))
ended = time.perf_counter()
print(
    json.dumps(
        {
            "name": f"scikit-learn {arguments.model}",
            "accuracy": sum(a == b for a, b in zip(predicted, test_labels)) / len(test_labels),
            "seconds": {
                "import": imported - started,
                "features": vectorised - imported,
                "fit": fitted - vectorised,
                "predict": ended - fitted,
                "total": ended - imported,
            },
            "cpu_seconds": time.process_time(),
            "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
