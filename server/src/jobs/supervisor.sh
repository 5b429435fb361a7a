#!/bin/sh
# Launches a runner and stands by it. POSIX sh, for Linux (dash, bash, busybox) and macOS, local and over ssh.
#
#   sh supervisor.sh launch FOLDER ATTEMPT LOCK COMMAND [ARGUMENT…]
#   sh supervisor.sh alive PID STARTED BOOT MACHINE      prints alive, leftover, gone or elsewhere
#   sh supervisor.sh signal NAME PID STARTED BOOT MACHINE
#
# LOCK is the path of a lock file to hold for the runner's life, or "-". With CLF_ENV_FROM_STDIN=1, `launch` reads
# NAME=VALUE lines from standard input into the environment: the way for secrets over ssh.
#
# `launch` starts `supervise` in a session of its own and exits, so that supervisor and runner are nobody's children.
# It prints "launched", or "already launched" when another launch of the same attempt came first.
#
# Files, all under FOLDER/attempts/ATTEMPT, each complete from the moment it has its name:
#   launch.json  who the supervisor is; exclusive, so that launching twice is harmless
#   runner.json  who the runner is, written before the runner may start: without it, and with the supervisor dead,
#                it is certain that no runner will ever run
#   exit.json    how the runner ended, and how many whole lines its events.jsonl then had
#   log.txt      standard output and error of supervisor and runner

set -u

# --- who a process is ------------------------------------------------------------------------------------------

boot_id() {
  if [ -r /proc/sys/kernel/random/boot_id ]; then
    # A pid means something only within its namespace: a restarted container has a new one.
    printf '%s %s' "$(cat /proc/sys/kernel/random/boot_id)" "$(readlink /proc/self/ns/pid 2>/dev/null)"
  else
    sysctl -n kern.bootsessionuuid 2>/dev/null
  fi
}

machine_id() {
  if [ -r /proc/sys/kernel/hostname ]; then
    printf '%s %s' "$(cat /etc/machine-id 2>/dev/null)" "$(cat /proc/sys/kernel/hostname)"
  else
    sysctl -n kern.uuid 2>/dev/null
  fi
}

# Start time of a process that runs: empty when there is none, or only a zombie.
started_of() {
  if [ -r /proc/self/stat ]; then
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    [ -n "$stat" ] || return 0
    # The name in parentheses may hold anything: count fields after its end. Ours 1 is proc(5)'s 3, ours 20 its 22.
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    case $1 in Z | X) return 0 ;; esac
    printf '%s' "${20}"
  else
    stat=$(ps -o stat= -p "$1" 2>/dev/null) || return 0
    case $stat in Z* | '') return 0 ;; esac
    # shellcheck disable=SC2046
    echo $(TZ=UTC0 LC_ALL=C ps -o lstart= -p "$1" 2>/dev/null)
  fi
}

# Members of a process group that run, the leader apart.
group_runs() {
  ps -A -o pgid= -o pid= -o stat= 2>/dev/null |
    awk -v group="$1" '$1 == group && $2 != group && $3 !~ /^Z/ { found = 1 } END { exit !found }'
}

# alive PID STARTED BOOT MACHINE
alive() {
  if [ "$(boot_id)" != "$3" ]; then
    if [ "$(machine_id)" = "$4" ]; then echo gone; else echo elsewhere; fi
    return
  fi
  now=$(started_of "$1")
  if [ -n "$now" ]; then
    # Another process with this pid: the kernel gives a pid out again only when its group is empty too.
    if [ "$now" = "$2" ]; then echo alive; else echo gone; fi
  elif group_runs "$1"; then
    echo leftover
  else
    echo gone
  fi
}

# signal NAME PID STARTED BOOT MACHINE: to the whole group that PID leads, but never to a stranger.
signal() {
  name=$1
  shift
  case $(alive "$@") in
    alive | leftover) kill -s "$name" -- "-$1" 2>/dev/null || kill -s "$name" "$1" 2>/dev/null || : ;;
  esac
}

# --- files -----------------------------------------------------------------------------------------------------

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

identity_of() {
  printf '"pid":%s,"started":"%s","boot":"%s","machine":"%s","time":"%s"' \
    "$1" "$(started_of "$1")" "$(boot_id)" "$(machine_id)" "$(now)"
}

# write NAME: standard input, under a temporary name first.
write() {
  cat >"$1.$$" && mv -f "$1.$$" "$1"
}

# finish CODE SIGNAL MESSAGE
finish() {
  cancelled=false
  if [ -e cancel ]; then cancelled=true; fi
  events=0
  if [ -e "$attempt/events.jsonl" ]; then events=$(wc -l <"$attempt/events.jsonl"); fi
  printf '{"code":%d,"signal":%s,"cancelled":%s,"events":%d,"message":%s,"time":"%s"}\n' \
    "$1" "${2:-null}" "$cancelled" "$events" "${3:-null}" "$(now)" | write "$attempt/exit.json"
  exit 0
}

# A manager that is killed meanwhile does not hear it; that must not end the supervisor. In a subshell, because the runner
# would inherit the ignored signal.
say() { (trap '' PIPE && echo "$1") 2>/dev/null || :; }

# --- launch and supervise --------------------------------------------------------------------------------------

# Replaces this process by COMMAND in a session of its own. macOS has no setsid.
in_new_session() {
  if command -v setsid >/dev/null 2>&1; then
    exec setsid "$@"
  elif command -v perl >/dev/null 2>&1; then
    exec perl -MPOSIX=setsid -e 'setsid(); exec { $ARGV[0] } @ARGV or exit 127' "$@"
  else
    echo "clf: neither setsid nor perl is there: a runner cannot be started apart from this session." >&2
    exit 69
  fi
}

# Waits for the lock on file descriptor 9. It belongs to the open file, so it holds as long as the runner, who
# inherits the descriptor, lives: also when the supervisor is killed.
wait_for_lock() {
  if command -v flock >/dev/null 2>&1; then
    exec flock 9
  elif command -v perl >/dev/null 2>&1; then
    exec perl -MFcntl=:flock -e 'open(my $lock, ">>&=", 9) or exit 69; flock($lock, LOCK_EX) or exit 69'
  else
    exit 69
  fi
}

interrupted() {
  trap '' HUP INT TERM
  if grep -q "\"pid\":$$," "$attempt/launch.json" 2>/dev/null; then (finish 143 '"TERM"' null); fi
  # Who waits for the lock may just have been made, and have missed the signal: all of this session goes, this shell with it.
  kill -s KILL 0
}

launch() {
  folder=$1
  cd "$folder" || exit 66
  mkdir -p "attempts/$2" || exit 73
  if [ "${CLF_ENV_FROM_STDIN:-}" = 1 ]; then
    unset CLF_ENV_FROM_STDIN
    while IFS= read -r line; do
      case ${line%%=*} in
        '' | [0-9]* | *[!A-Za-z0-9_]*) ;;
        *) export "$line" ;;
      esac
    done
  fi
  (in_new_session sh "$self" supervise "$@") </dev/null &
}

supervise() {
  number=$2
  lock=$3
  shift 3
  attempt=attempts/$number

  # Until the runner is there a signal ends the supervisor, with a word if the attempt is its own. Later it ignores signals:
  # it outlives the runner, to say how that ended.
  trap 'interrupted' HUP INT TERM

  locked=false
  if [ "$lock" != - ]; then locked=true; fi
  printf '{%s,"lock":%s}\n' "$(identity_of $$)" "$locked" >"$attempt/launch.json.$$" || exit 73
  # A hard link is exclusive and complete at once; not every file system has them.
  if ! ln "$attempt/launch.json.$$" "$attempt/launch.json" 2>/dev/null; then
    if [ -e "$attempt/launch.json" ] || ! (set -C && cat "$attempt/launch.json.$$" >"$attempt/launch.json") 2>/dev/null; then
      rm -f "$attempt/launch.json.$$"
      say "already launched"
      exit 0
    fi
  fi
  rm -f "$attempt/launch.json.$$"
  say launched
  exec >>"$attempt/log.txt" 2>&1

  if [ "$lock" != - ]; then
    case $lock in "~/"*) lock=$HOME/${lock#"~/"} ;; esac
    mkdir -p "$(dirname "$lock")"
    exec 9>>"$lock" || finish 73 null '"The lock file of the GPU cannot be opened: see log.txt."'
    wait_for_lock &
    waiter=$!
    wait "$waiter" || finish 69 null '"The lock of the GPU cannot be waited for: neither flock nor perl works. Install util-linux."'
  fi
  if [ -e cancel ]; then finish 143 null null; fi

  # The gate: the runner's process waits for a word from the supervisor, who first records who it is. If the supervisor
  # dies before, the pipe closes and the process ends without having become the runner.
  gate=$attempt/gate.$$
  mkfifo "$gate" 2>/dev/null || { gate=${TMPDIR:-/tmp}/clf-gate.$$ && mkfifo -m 600 "$gate"; } ||
    finish 73 null '"A named pipe cannot be made, neither in the job folder nor in the temporary folder."'
  exec 8<>"$gate" 7<"$gate"
  rm -f "$gate"
  CLF_ATTEMPT=$number
  export CLF_ATTEMPT
  (in_new_session sh -c 'exec 8>&-; read -r word <&7 && [ "$word" = go ] || exit 75; exec 7<&-; exec "$@"' runner "$@") </dev/null &
  runner=$!
  exec 7<&-
  trap '' HUP INT TERM
  printf '{%s}\n' "$(identity_of "$runner")" | write "$attempt/runner.json"
  echo go >&8
  exec 8>&-
  wait "$runner"
  code=$?
  # What the runner started and left: it has nobody to work for.
  kill -s KILL -- "-$runner" 2>/dev/null
  ended_by=null
  if [ "$code" -gt 128 ]; then ended_by="\"$(kill -l $((code - 128)) 2>/dev/null)\""; fi
  finish "$code" "$ended_by" null
}

case $0 in
  /*) self=$0 ;;
  *) self=$PWD/$0 ;;
esac
mode=${1:-}
if [ $# -gt 0 ]; then shift; fi
case $mode in
  launch) launch "$@" ;;
  supervise) supervise "$@" ;;
  alive) alive "$@" ;;
  signal) signal "$@" ;;
  *)
    echo "usage: supervisor.sh launch FOLDER ATTEMPT LOCK COMMAND [ARGUMENT…]" >&2
    exit 64
    ;;
esac
exit
