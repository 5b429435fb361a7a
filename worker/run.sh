#!/bin/sh
# Runs the worker in its environment, and makes that first where it is not there. POSIX sh, for this machine and for hosts.
#
#   sh run.sh [--base NAME FOLDER]… JOBFOLDER   runs a job; the base that it calls NAME lies in FOLDER here
#   sh run.sh --python ARGUMENT…                runs the environment's Python with the worker on its path
#
# An environment is named by the hash of the lock file it is made from; it is complete when it holds `.ready`. It is made once,
# under a lock, and used again by every job.
#   CLF_ENVIRONMENTS  folder of environments; default: ~/.cache/clf/environments
#   CLF_PYTHON        a Python that has everything already: no environment is made
#   CLF_UV            the uv to make it with; default: the one on the path, else one installed beside it
#   CLF_WHEELHOUSE    a folder of wheels to install from, without any network (docs/qlora.md)
set -u

case $0 in /*) here=$(dirname "$0") ;; *) here=$PWD/$(dirname "$0") ;; esac

# fail MESSAGE REMEDY: for people, and as the job's error where there is a job.
fail() {
  echo "clf: $1 $2" >&2
  if [ -n "$job" ]; then
    event '"type":"error","message":"%s","remedy":"%s"' "$1" "$2"
    event '"type":"state","state":"failed","message":"%s"' "$1"
  fi
  exit 1
}

# event FORMAT TEXT…: a line of the attempt's events, numbered after those that are there. Texts hold no quotes.
event() {
  [ -n "$job" ] || return 0
  at=$job/attempts/${CLF_ATTEMPT:-1}
  mkdir -p "$at"
  seq=0
  if [ -e "$at/events.jsonl" ]; then seq=$(wc -l <"$at/events.jsonl"); fi
  format=$1
  shift
  # shellcheck disable=SC2059
  printf "{\"seq\":%d,\"time\":\"%s\",$format}\n" $((seq + 1)) "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$@" >>"$at/events.jsonl"
}

hash_of() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | cut -c1-16
}

find_python() {
  for name in python3.13 python3.12 python3.11 python3.14 python3; do
    if command -v "$name" >/dev/null 2>&1 &&
      "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
      command -v "$name"
      return 0
    fi
  done
  return 1
}

find_uv() {
  for name in "${CLF_UV:-uv}" "$HOME/.local/bin/uv" "$HOME/.cargo/bin/uv" "$environments/uv/bin/uv"; do
    if command -v "$name" >/dev/null 2>&1; then
      command -v "$name"
      return 0
    fi
  done
  return 1
}

# Under the lock. uv comes from the Python package index where it is not there yet.
make_environment() {
  rm -rf "$environment"
  uv=$(find_uv) || {
    echo "clf: installing uv" >&2
    "$python" -m venv "$environments/uv" >&2 || return 71
    if [ -n "${CLF_WHEELHOUSE:-}" ]; then
      "$environments/uv/bin/pip" install -q --no-index --find-links "$CLF_WHEELHOUSE" uv >&2 || return 72
    else
      "$environments/uv/bin/pip" install -q uv >&2 || return 72
    fi
    uv=$environments/uv/bin/uv
  }
  echo "clf: making the environment $environment" >&2
  if [ -n "${CLF_WHEELHOUSE:-}" ]; then
    "$uv" venv -q --python "$python" "$environment" >&2 &&
      "$uv" export -q --frozen --no-dev --project "$here" --format requirements-txt -o "$environment/requirements.txt" >&2 &&
      "$uv" pip install -q --python "$environment/bin/python" --no-index --find-links "$CLF_WHEELHOUSE" \
        --require-hashes -r "$environment/requirements.txt" >&2 || return 73
  else
    UV_PROJECT_ENVIRONMENT=$environment "$uv" sync -q --frozen --no-dev --project "$here" --python "$python" >&2 || return 73
  fi
  : >"$environment/.ready"
}

# Two jobs that start at once make one environment. The lock goes with the process that holds it.
under_lock() {
  # 9 is the GPU's, which the runner inherits.
  exec 8>>"$environments/.lock"
  if command -v flock >/dev/null 2>&1; then
    flock 8
  elif command -v perl >/dev/null 2>&1; then
    perl -MFcntl=:flock -e 'open(my $lock, ">>&=", 8) or exit 69; flock($lock, LOCK_EX) or exit 69'
  fi
  [ -e "$environment/.ready" ] || make_environment
  code=$?
  exec 8>&-
  return $code
}

job=
case ${1:-} in
  --python) ;;
  --base) for job in "$@"; do :; done ;;
  -* | '')
    echo "usage: run.sh [--base NAME FOLDER]… JOBFOLDER | --python ARGUMENT…" >&2
    exit 64
    ;;
  *) job=$1 ;;
esac

environments=${CLF_ENVIRONMENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/clf/environments}
CLF_ENVIRONMENT=$(hash_of "$here/uv.lock")
export CLF_ENVIRONMENT
environment=$environments/$CLF_ENVIRONMENT
if [ -n "${CLF_PYTHON:-}" ]; then
  run=$CLF_PYTHON
else
  run=$environment/bin/python
  if [ ! -e "$environment/.ready" ]; then
    python=$(find_python) ||
      fail "There is no Python 3.11 to 3.14 on this machine." "Install python3 and python3-venv (Debian, Ubuntu: apt-get install python3-venv), or name one that has everything in CLF_PYTHON."
    mkdir -p "$environments" ||
      fail "The folder of environments cannot be made." "Name one that can be written in CLF_ENVIRONMENTS."
    free=$(df -Pk "$environments" | awk 'NR == 2 { print int($4 / 1048576) }')
    [ "${free:-99}" -ge 9 ] ||
      fail "The worker's environment needs 9 GiB of disk, and $free GiB are free in $environments." "Free some, or name another folder in CLF_ENVIRONMENTS."
    event '"type":"log","level":"info","message":"Making the worker environment %s: once on this machine, some minutes."' "$CLF_ENVIRONMENT"
    event '"type":"progress","step":"making the environment","done":0,"total":null'
    under_lock || case $? in
      71) fail "Python's venv module does not work here." "Debian, Ubuntu: apt-get install python3-venv." ;;
      72) fail "uv could not be installed." "Install it (docs.astral.sh/uv) or put its wheel into CLF_WHEELHOUSE; the log says why." ;;
      *) fail "The worker's environment could not be made." "The log says why. It needs the Python package index, or a wheelhouse: CLF_WHEELHOUSE." ;;
    esac
  fi
fi
if [ -z "$job" ]; then shift; else set -- -m clf_worker "$@"; fi
PYTHONPATH=$here/src${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1 exec "$run" "$@"
