"""What pandas needs to read a table and make the same profile. Usage: profile.py FILE; prints one JSON document."""
import json
import resource
import sys
import time

import pandas

path = sys.argv[1]
started = time.perf_counter()
if path.endswith(".parquet"):
    table = pandas.read_parquet(path)
else:
    table = pandas.read_csv(path, dtype=str, keep_default_na=False)
read = time.perf_counter() - started
profile = {}
for name in table.columns:
    column = table[name].astype(str)
    lengths = column.str.len()
    profile[name] = [int(column.nunique()), column.value_counts().head(300).to_dict(), lengths.describe().to_dict()]
duplicates = int(table.duplicated(keep=False).sum())
total = time.perf_counter() - started
started = time.perf_counter()
found = int(table["text"].str.lower().str.contains("tion", regex=False).sum())
search = time.perf_counter() - started
print(
    json.dumps(
        {
            "rows": len(table),
            "read": read,
            "profile": total,
            "search": search,
            "found": found,
            "duplicates": duplicates,
            "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
