#!/bin/sh
# A runner for hosts without Node: `sh fake-runner.sh ROWS PAUSE FOLDER`. Predicts ROWS rows, PAUSE seconds each in attempt 1, obeys a cancel, can be
# started again on the same folder.
set -u
rows=$1
pause=$2
folder=$3
cd "$folder" || exit 66
events=attempts/$CLF_ATTEMPT/events.jsonl
seq=0
event() {
  seq=$((seq + 1))
  printf '{"seq":%d,"time":"%s",%s}\n' "$seq" "$(date -u +%Y-%m-%dT%H:%M:%S.000Z)" "$1" >>"$events" || exit 74
}
end() {
  event "\"type\":\"state\",\"state\":\"$1\""
  exit "$2"
}
stop=no
trap 'stop=yes' TERM
trap '' INT
event '"type":"state","state":"running"'
if [ -n "${CLF_TEST_SECRET:-}" ]; then event '"type":"log","level":"info","message":"the secret has come"'; fi
n=0
if [ -e predictions.parquet ]; then n=$rows; fi
while [ "$n" -lt "$rows" ]; do
  if [ -e cancel ]; then end cancelled 0; fi
  if [ "$stop" = yes ]; then end failed 1; fi
  if ! grep -q "\"row-$n\"" predictions.jsonl 2>/dev/null; then
    # A torn line of an attempt before is cut off by beginning anew: only whole lines are kept.
    if [ -e predictions.jsonl ] && [ -n "$(tail -c 1 predictions.jsonl)" ]; then sed -i '$d' predictions.jsonl; fi
    printf '{"row":"row-%d","target":"label","model":"baseline","split":"test","label":"a","score":0.9,"top":[["a",0.9]],"rest":0.1}\n' "$n" >>predictions.jsonl || exit 74
    if [ "$CLF_ATTEMPT" = 1 ]; then sleep "$pause"; fi
  fi
  n=$((n + 1))
  event "\"type\":\"progress\",\"step\":\"predicting\",\"done\":$n,\"total\":$rows,\"unit\":\"rows\""
  echo "row $n"
done
mkdir -p .model.tmp && head -c 300000 /dev/zero >.model.tmp/weights && rm -rf model && mv .model.tmp model || exit 74
if [ -e predictions.jsonl ]; then
  cp predictions.jsonl predictions.parquet.tmp && mv predictions.parquet.tmp predictions.parquet && rm predictions.jsonl || exit 74
fi
event '"type":"artifact","name":"model","path":"model","bytes":300000'
end succeeded 0
