#!/bin/sh
# What `python -m clf_worker JOBFOLDER` does, without the gigabytes: `sh fake-worker.sh GATE JOBFOLDER`. A fine-tune goes on until the file GATE
# is there, a step a fifth of a second, and makes a "model". An evaluation says the right label of most rows. Obeys a cancel.
set -u
gate=$1
cd "$2" || exit 66
events=attempts/$CLF_ATTEMPT/events.jsonl
seq=0
event() {
  seq=$((seq + 1))
  printf '{"seq":%d,"time":"%s",%s}\n' "$seq" "$(date -u +%Y-%m-%dT%H:%M:%S.000Z)" "$1" >>"$events" || exit 74
}
end() {
  event "\"type\":\"state\",\"state\":\"$1\""
  exit 0
}
event '"type":"state","state":"running"'
# The job's own kind comes before all others.
if [ "$(grep -o '"kind": *"[a-z-]*"' job.json | head -n 1 | cut -d'"' -f4)" = fine-tune ]; then
  n=0
  until [ -e "$gate" ]; do
    if [ -e cancel ]; then end cancelled; fi
    n=$((n + 1))
    event "\"type\":\"progress\",\"step\":\"fine-tuning\",\"done\":$n,\"total\":1000,\"unit\":\"steps\""
    event "\"type\":\"metric\",\"name\":\"loss\",\"value\":0.5,\"step\":$n"
    echo "step $n"
    sleep 0.2
  done
  mkdir -p .model.tmp && head -c 100000 /dev/zero >.model.tmp/weights && rm -rf model && mv .model.tmp model || exit 74
  event '"type":"artifact","name":"model","path":"model","bytes":100000'
else
  # Rows of two labels, dry and wet; every eighth answer is wrong, by the row's own digits.
  sed -n 's/.*"row":"\([^"]*\)".*"split":"\([^"]*\)".*"labels":{"label":"\(dry\|wet\)"}.*/\1 \2 \3/p' data/rows.jsonl |
    awk -v model="$(sed -n 's/.*"name": *"\(tuned[^"]*\)".*/\1/p' job.json | head -n 1)" '
      $2 == "test" || $2 == "validation" || $2 == "tune" {
        wrong = substr($1, 1, 1) ~ /[0a]/
        label = wrong == ($3 == "wet") ? "dry" : "wet"
        other = label == "dry" ? "wet" : "dry"
        printf "{\"row\":\"%s\",\"target\":\"label\",\"model\":\"%s\",\"split\":\"%s\",\"label\":\"%s\",\"score\":0.9,\"top\":[[\"%s\",0.9],[\"%s\",0.1]],\"rest\":0}\n", $1, model, $2, label, label, other
      }' >predictions.jsonl || exit 74
  rows=$(wc -l <predictions.jsonl)
  event "\"type\":\"progress\",\"step\":\"predicting\",\"done\":$rows,\"total\":$rows,\"unit\":\"rows\""
fi
end succeeded
