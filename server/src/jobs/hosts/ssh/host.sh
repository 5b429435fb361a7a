# The host's side of `ssh`: functions that a connection calls. POSIX sh on Linux, with GNU coreutils
# (busybox's `head -c` takes more of its input than it is asked to).
# Read by `.` with $work (the host's folder), $lib (where this file lies) and $mark (a word drawn for this connection) set.
#
# Standard input and output are the connection. What is said begins with "$mark " on a line of its own, bytes follow where
# the line gives their number: a login shell's noise before it is told apart. Nothing is exported that the runner would
# inherit, apart from a longer PATH.

set -u
# Programs that people install for themselves, and those of the system that a bare login lacks.
PATH=$HOME/.local/bin:$HOME/.cargo/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin
export PATH
jobs=$work/jobs

tell() { printf '%s %s\n' "$mark" "$*"; }

# fail KIND WORDS: kinds are full (disk), denied, changed, other
fail() {
  kind=$1
  shift
  tell "error $kind $(printf '%s' "$*" | tr '\n' ' ')"
  exit 1
}

# Why a file could not be written, from what the system said.
fail_writing() {
  case $1 in
    *'No space left'* | *'quota exceeded'* | *'Quota exceeded'*) fail full "$1" ;;
    *'Permission denied'* | *'Read-only file system'*) fail denied "$1" ;;
    *) fail other "$1" ;;
  esac
}

make_folder() {
  said=$(LC_ALL=C mkdir -p "$1" 2>&1) || fail_writing "$said"
}

# --- files -----------------------------------------------------------------------------------------------------

# The bytes of a file from an offset on. What became shorter meanwhile is filled up: checksums and sizes tell.
bytes_of() { # PATH OFFSET LENGTH
  if [ "$3" -gt 0 ]; then
    { said=$(LC_ALL=C dd if="$1" iflag=fullblock,skip_bytes,count_bytes bs=262144 skip="$2" count="$3" 2>&1 >&3 3>&-); } 3>&1
    # The last line says how many bytes it were.
    copied=${said##*
}
    copied=${copied%% *}
    case $copied in '' | *[!0-9]*) copied=0 ;; esac
    if [ "$copied" -lt "$3" ]; then head -c "$(($3 - copied))" /dev/zero; fi
  fi
  echo
}

# The program that takes SHA-256: openssl's uses what the processor has for it and is two to seven times as fast as coreutils'.
# Sets $sum256; both say "HASH -", each in its own way.
choose_sum256() {
  sum256=sha256sum
  if [ "$(openssl dgst -sha256 -r </dev/null 2>/dev/null)" = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 *stdin' ]; then
    sum256='openssl dgst -sha256 -r'
  fi
}

# Whether what $sum256 has said of its standard input is SUM, and nothing else was said.
said_sum() { # SAID SUM
  case $1 in "$2  -" | "$2 *stdin") return 0 ;; *) return 1 ;; esac
}

# Requests of two lines each: OFFSET LIMIT, then PATH under jobs/.
read_files() {
  while IFS=' ' read -r offset limit && IFS= read -r path; do
    if [ -f "$jobs/$path" ] && [ ! -h "$jobs/$path" ] && size=$(stat -c %s "$jobs/$path" 2>/dev/null); then
      length=$((size - offset))
      if [ "$length" -lt 0 ]; then length=0; fi
      if [ "$length" -gt "$limit" ]; then length=$limit; fi
      tell "piece $size $length"
      bytes_of "$jobs/$path" "$offset" "$length"
    else
      tell none
    fi
  done
}

# put FOLDER (jobs/ID, programs/NAME or models/NAME): roots, an empty line, then the manifest in the form of sha256sum, an empty line. Files that are neither in place nor known from another job
# are asked for; each comes as its bare bytes. Complete files are moved into place together, then what is not in the manifest goes.
put() {
  job=$work/$1
  make_folder "$job/.put"
  cd "$job" || fail other "The job's folder cannot be entered."
  # One upload at a time, within reason: another window may be at the same job.
  if command -v flock >/dev/null 2>&1 && exec 6>>.put.lock; then
    flock -w 60 6
    make_folder "$job/.put"
  fi
  roots=.put/roots.$$
  list=.put/list.$$
  trap 'rm -f "$job/.put/"*."$$"' EXIT
  choose_sum256
  # What cannot be written is found out by its length: the count of lines says whether all are there.
  for file in "$roots" "$list"; do
    count=0
    { while IFS= read -r line && [ -n "$line" ]; do
      count=$((count + 1))
      printf '%s\n' "$line"
    done; } 2>/dev/null >"$file"
    if [ "$(wc -l <"$file")" -ne "$count" ]; then fail full "No space left on the device."; fi
  done
  IFS=' ' read -r sizes
  missing=
  index=0
  LC_ALL=C sha256sum -c "$list" 2>/dev/null >".put/found.$$"
  while IFS= read -r found && IFS= read -r entry <&3; do
    index=$((index + 1))
    # shellcheck disable=SC2086
    set -- $sizes
    shift $((index - 1))
    size=$1
    sum=${entry%% *}
    case $found in *': OK') continue ;; esac
    missing="$missing $index"
    staged=.put/$index-$sum
    if [ "$(stat -c %s "$staged" 2>/dev/null)" = "$size" ]; then continue; fi
    if known "$sum" "$size" "$staged"; then continue; fi
    tell "want $index"
  done <".put/found.$$" 3<"$list"
  tell go
  # What was asked for comes in the manifest's order: INDEX SIZE, then the bytes. An index of 0 is the end.
  part=.put/part.$$
  at=0
  exec 3<"$list"
  while IFS=' ' read -r index size && [ "$index" -gt 0 ]; do
    while [ "$at" -lt "$index" ] && IFS= read -r entry <&3; do at=$((at + 1)); done
    # The checksum is taken as the bytes come: a second look at a large file costs as long as the first.
    said=$({ dd iflag=fullblock,count_bytes bs=262144 count="$size" status=none | tee "$part" | $sum256; } 2>&1)
    if ! said_sum "$said" "${entry%% *}"; then
      case $said in
        *' space left'* | *'uota exceeded'* | *'ermission denied'* | *'ead-only'*) fail_writing "$said" ;;
        *) fail changed "A file has not come as it was sent, or the upload was broken off." ;;
      esac
    fi
    mv -f "$part" ".put/$index-${entry%% *}"
  done
  [ "${index:-}" = 0 ] || fail changed "The upload was broken off."
  at=0
  exec 3<"$list"
  for index in $missing; do
    while [ "$at" -lt "$index" ] && IFS= read -r entry <&3; do at=$((at + 1)); done
    place ".put/$index-${entry%% *}" "${entry#*  }" "${entry%% *}"
  done
  exec 3<&-
  sed 's/^[0-9a-f]*  //' "$list" | LC_ALL=C sort >".put/names.$$"
  while IFS= read -r root; do
    if [ ! -e "$root" ] && [ ! -h "$root" ]; then continue; fi
    find "$root" ! -type d ! -path './.put*' ! -path ./.sums ! -path ./.models | sed 's,^[.]/,,' | LC_ALL=C sort | LC_ALL=C comm -23 - ".put/names.$$" | while IFS= read -r extra; do
      rm -f "$extra"
    done
    # Folders that became empty with it; a root of which nothing is left goes as well.
    find "$root" -depth -type d ! -path './.put' -exec rmdir {} + 2>/dev/null
  done <"$roots"
  cat "$list" >>.sums 2>/dev/null
  rm -rf .put
  tell done
}

# known SUM SIZE TARGET: whether a file with that checksum lies in another job or model, and has been copied from there. Models
# share theirs: nobody writes to them.
known() {
  if [ "$2" -lt 65536 ]; then return 1; fi
  # One look at all of them: a host may have hundreds of jobs.
  grep -ls "^$1  " "$jobs"/*/.sums "$work"/models/*/.sums >".put/known.$$"
  while IFS= read -r sums; do
    name=$(sed -n "s/^$1  //p" "$sums" 2>/dev/null | head -n 1)
    if [ -z "$name" ] || [ ! -f "${sums%/.sums}/$name" ]; then continue; fi
    copy=cp
    case $job,$sums in "$work"/models/*,"$work"/models/*) copy=ln ;; esac
    if $copy "${sums%/.sums}/$name" ".put/part.$$" 2>/dev/null && said_sum "$($sum256 <".put/part.$$")" "$1"; then
      mv -f ".put/part.$$" "$3"
      return 0
    fi
    rm -f ".put/part.$$"
  done <".put/known.$$"
  return 1
}

# place STAGED PATH SUM. Another connection may have placed the same file meanwhile.
place() {
  case $2 in */*) make_folder "${2%/*}" ;; esac
  if [ -d "$2" ] && [ ! -h "$2" ]; then rm -rf "$2"; fi
  if [ -h "$2" ]; then rm -f "$2"; fi
  said=$(LC_ALL=C mv -f "$1" "$2" 2>&1) && return
  if [ "$(sha256sum <"$2" 2>/dev/null)" != "$3  -" ]; then fail_writing "$said"; fi
}

# Whether a folder was put completely.
has() {
  if [ -e "$work/$1/.sums" ]; then tell yes; else tell no; fi
}

# hold JOB FOLDER: the job needs the folder (models/NAME), which is told to be there whole or not, and stays as long as a job needs it.
hold() {
  make_folder "$jobs/$1"
  make_folder "$work/models"
  lock_models
  if ! grep -qsxF "$2" "$jobs/$1/.models"; then
    said=$({ printf '%s\n' "$2" >>"$jobs/$1/.models"; } 2>&1) || fail_writing "$said"
  fi
  has "$2"
}

# Removes the models that no job needs any more: by a rename first, as a job.
remove_unneeded_models() {
  if [ ! -d "$work/models" ]; then return; fi
  lock_models
  for model in "$work"/models/*/; do
    model=${model%/}
    if [ ! -d "$model" ] || cat "$jobs"/*/.models 2>/dev/null | grep -qxF "models/${model##*/}"; then continue; fi
    mv "$model" "$work/models/.old-${model##*/}"
  done
  rm -rf "$work"/models/.old-*
}

# Held until this call ends: what one finds unneeded, another may be about to need.
lock_models() {
  if command -v flock >/dev/null 2>&1 && true 2>/dev/null >>"$work/models/.lock"; then
    exec 7>>"$work/models/.lock"
    flock -w 60 7
  fi
}

# Removes a job: by a rename first, so that no half of it is ever seen.
remove() {
  if [ -d "$jobs/$1" ]; then
    rm -rf "$jobs/.old-$1" && mv "$jobs/$1" "$jobs/.old-$1"
  fi
  rm -rf "$jobs/.old-$1"
  remove_unneeded_models
  tell done
}

# fetch JOB ROOT…: lists what is there with sizes and checksums, then answers requests of two lines: OFFSET LENGTH, then PATH.
# Links are left out, and names that do not fit on a line.
fetch() {
  cd "$jobs/$1" 2>/dev/null || { tell listed && return; }
  shift
  choose_sum256
  for root in "$@"; do
    if [ ! -e "$root" ]; then continue; fi
    LC_ALL=C find "$root" -type f ! -path '*[[:cntrl:]\\]*' -exec stat -c "$mark size %s %n" {} +
    # shellcheck disable=SC2086
    LC_ALL=C find "$root" -type f ! -path '*[[:cntrl:]\\]*' -exec $sum256 {} + | sed 's/^\([0-9a-f]*\) [*]/\1  /' | tee -a .sums 2>/dev/null | sed "s/^/$mark sum /"
  done
  tell listed
  while IFS=' ' read -r offset length && IFS= read -r path; do
    tell "bytes $length"
    bytes_of "$path" "$offset" "$length"
  done
}

# --- processes -------------------------------------------------------------------------------------------------

# launch JOB ATTEMPT LOCK COMMAND…: a word of COMMAND that begins with "{work}/" lies in the host's folder. Standard input is the
# environment to add, a line each, and a line "." at its end. Without that line the connection was cut: nothing is launched then.
launch() {
  job=$1
  shift
  for word in "$@"; do
    shift
    case $word in "{work}/"*) word=$work/${word#"{work}/"} ;; esac
    set -- "$@" "$word"
  done
  variables=
  while IFS= read -r line; do
    if [ "$line" = . ]; then break; fi
    variables=$variables$line'
'
  done
  [ "${line:-}" = . ] || fail changed "The connection was cut before the launch."
  attempt=$1
  make_folder "$jobs/$job/attempts/$attempt"
  said=$(printf '%s' "$variables" | CLF_ENV_FROM_STDIN=1 sh "$lib/supervisor.sh" launch "$jobs/$job" "$@" "$jobs/$job" 2>&1)
  case $said in
    launched | 'already launched') tell "$said" ;;
    *)
      # A supervisor that died before it could say so has recorded itself all the same.
      if [ -e "$jobs/$job/attempts/$attempt/launch.json" ]; then tell "already launched"; else fail_writing "$said"; fi
      ;;
  esac
}

# Requests of four lines each: pid, start, boot and machine of a process.
alive() {
  while IFS= read -r pid && IFS= read -r started && IFS= read -r boot && IFS= read -r machine; do
    tell "$(sh "$lib/supervisor.sh" alive "$pid" "$started" "$boot" "$machine")"
  done
}

signal() {
  sh "$lib/supervisor.sh" signal "$@"
  tell done
}

# --- following -------------------------------------------------------------------------------------------------

# Follows files and processes until standard input ends. Registrations, a line each:
#   file KEY OFFSET PATH    tell what the file has from OFFSET on, and what it gets (paths under jobs/, without spaces)
#   process KEY PID START   tell when it is gone
#   queue KEY PID           tell which place in the queue for the GPU lock the supervisor PID has
#   drop KEY
#   sync N                  answer "synced N" once all that the files had until now has been told
# A second shell looks, this one listens: registrations pass through a file that has no name any more.
session() {
  cd "$jobs" || fail other "The host's folder cannot be entered."
  passed=$(mktemp 2>/dev/null || mktemp -p /dev/shm 2>/dev/null || mktemp -p "$work" 2>/dev/null) ||
    fail full "No space left for a temporary file, neither in /tmp nor in $work."
  exec 5>>"$passed" 4<"$passed"
  rm -f "$passed"
  watch <&4 5>&- &
  watcher=$!
  trap 'kill "$watcher" 2>/dev/null' EXIT
  trap 'exit' HUP INT TERM PIPE
  exec 4<&-
  while IFS= read -r line; do printf '%s\n' "$line" >&5; done
}

watch() {
  set -f
  trap - EXIT
  trap 'exit' HUP INT TERM PIPE
  keys=
  paths=
  processes=
  queues=
  syncs=
  last=
  more=false
  told=false
  cycle=0
  while :; do
    while IFS=' ' read -r what key one two; do
      case $what in
        file)
          eval "path_$key=\$two offset_$key=\$one"
          keys="$keys $key"
          ;;
        process)
          eval "pid_$key=\$one started_$key=\$two"
          processes="$processes $key"
          ;;
        queue)
          eval "pid_$key=\$one place_$key="
          queues="$queues $key"
          ;;
        drop)
          keys=$(without "$key" $keys)
          processes=$(without "$key" $processes)
          queues=$(without "$key" $queues)
          ;;
        sync) syncs="$syncs $key" ;;
      esac
      told=true
    done
    if $told; then
      told=false
      last=
      paths=
      for each in $keys; do eval "paths=\"\$paths \$path_$each\""; done
    fi
    # First who is gone, then the files: what a dead process had written is then told before its end is.
    gone=
    for key in $processes; do
      eval "pid=\$pid_$key started=\$started_$key"
      if ! runs "$pid" "$started"; then gone="$gone $key"; fi
    done
    if [ -n "$paths" ]; then
      # shellcheck disable=SC2086
      now=$(LC_ALL=C stat -c '%n %s' -- $paths 2>/dev/null)
      if [ "$now" != "$last" ] || $more; then
        last=$now
        more=false
        look
      fi
    fi
    for key in $gone; do
      tell "gone $key"
      processes=$(without "$key" $processes)
    done
    if [ -n "$syncs" ] && ! $more; then
      for key in $syncs; do tell "synced $key"; done
      syncs=
    fi
    if [ -n "$queues" ] && [ $((cycle % 5)) -eq 0 ]; then places; fi
    cycle=$((cycle + 1))
    # A word from time to time, so that a connection that is cut is noticed at this end too.
    if [ $((cycle % 80)) -eq 0 ]; then tell beat; fi
    $more || sleep 0.25 2>/dev/null || sleep 1
  done
}

without() {
  out=$1
  shift
  for each in "$@"; do
    if [ "$each" != "$out" ]; then printf ' %s' "$each"; fi
  done
}

# `now` has a word for each path that is there and one for its size, in the order of the keys.
look() {
  # shellcheck disable=SC2086
  set -- $now
  for key in $keys; do
    eval "path=\$path_$key offset=\$offset_$key"
    if [ "${1:-}" != "$path" ]; then continue; fi
    size=$2
    shift 2
    if [ "$size" -le "$offset" ] || [ -h "$path" ]; then continue; fi
    length=$((size - offset))
    if [ "$length" -gt 524288 ]; then
      length=524288
      more=true
    fi
    tell "data $key $offset $length"
    bytes_of "$path" "$offset" "$length"
    eval "offset_$key=$((offset + length))"
  done
}

# Whether the process with that start time runs. Reads /proc without starting a program.
runs() {
  wanted=$2
  { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  case $stat in *') '*) ;; *) return 0 ;; esac
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  case $1 in Z | X) return 1 ;; esac
  [ "${20}" = "$wanted" ]
}

# /proc/locks lists who waits ("->") for each lock, in order. The waiter is the supervisor's child.
places() {
  for key in $queues; do
    eval "pid=\$pid_$key before=\$place_$key"
    place=
    inode=
    while IFS=' ' read -r _ arrow _ _ _ waiter file _; do
      if [ "$arrow" != '->' ] || [ -z "$waiter" ]; then continue; fi
      { IFS= read -r stat <"/proc/$waiter/stat"; } 2>/dev/null || continue
      # shellcheck disable=SC2086
      set -- ${stat##*) }
      if [ "$2" = "$pid" ]; then inode=$file; fi
    done </proc/locks
    if [ -n "$inode" ]; then
      count=0
      while IFS=' ' read -r _ arrow _ _ _ waiter file _; do
        if [ "$arrow" != '->' ] || [ "$file" != "$inode" ]; then continue; fi
        count=$((count + 1))
        { IFS= read -r stat <"/proc/$waiter/stat"; } 2>/dev/null || continue
        # shellcheck disable=SC2086
        set -- ${stat##*) }
        if [ "$2" = "$pid" ]; then place=$count; fi
      done </proc/locks
    fi
    if [ "$place" != "$before" ]; then
      tell "place $key ${place:-0}"
      eval "place_$key=\$place"
    fi
  done
}

# --- what is there ---------------------------------------------------------------------------------------------

fact() {
  name=$1
  shift
  tell "fact $name $(printf '%s' "$*" | tr -s '\n\t' '  ' | cut -c1-300)"
}

# check LOCK HUB: facts, a line each. What does not answer is left out after some seconds.
check() {
  lock=$1
  within=
  if command -v timeout >/dev/null 2>&1; then within='timeout 10'; fi
  fact clock "$(date +%s)"
  fact system "$(uname -srm)" "$(. /etc/os-release 2>/dev/null && printf '%s' "${PRETTY_NAME:-}")"
  fact cpus "$(nproc 2>/dev/null)"
  fact memory "$(awk '/^MemTotal:/ { total = $2 } /^MemAvailable:/ { free = $2 } END { print total, free }' /proc/meminfo)"
  fact disk "$(df -Pk "$work" | awk 'NR == 2 { print $2, $4 }')"
  if said=$(LC_ALL=C mkdir -p "$jobs" 2>&1) && said=$({ : >"$jobs/.writable" && rm -f "$jobs/.writable"; } 2>&1); then fact folder "$jobs"; else fact unwritable "$said"; fi
  missing=
  for tool in sha256sum stat find awk sed dd tee head mkfifo ps; do command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"; done
  fact missing "$missing"
  if command -v setsid >/dev/null 2>&1 && command -v flock >/dev/null 2>&1; then fact apart setsid and flock
  elif command -v perl >/dev/null 2>&1; then fact apart perl; fi
  if command -v nvidia-smi >/dev/null 2>&1; then
    # shellcheck disable=SC2086
    if said=$($within nvidia-smi --query-gpu=name,driver_version,memory.total,memory.used --format=csv,noheader,nounits 2>&1); then
      printf '%s\n' "$said" | while IFS= read -r line; do fact gpu "$line"; done
      # shellcheck disable=SC2086
      $within nvidia-smi --query-compute-apps=pid,used_memory,process_name --format=csv,noheader,nounits 2>/dev/null |
        while IFS=', ' read -r pid used name; do
          case $pid in '' | *[!0-9]*) continue ;; esac
          if ours "$pid"; then owner=clf; else owner=$(ps -o user= -p "$pid" 2>/dev/null); fi
          fact process "$pid ${owner:-?} $used $name"
        done
    else
      fact gpu-trouble "$said"
    fi
  fi
  for name in python3.13 python3.12 python3.11 python3.14 python3; do
    if command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
      fact python "$("$name" -c 'import sys; print(sys.version.split()[0])')" "$(command -v "$name")"
      "$name" -c 'import venv, ensurepip' 2>/dev/null && fact venv yes
      break
    fi
  done
  if command -v python3 >/dev/null 2>&1; then fact python-any "$(python3 --version 2>&1)"; fi
  if command -v uv >/dev/null 2>&1; then fact uv "$(uv --version 2>&1)"; fi
  environments=${CLF_ENVIRONMENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/clf/environments}
  for ready in "$environments"/*/.ready; do
    if [ -e "$ready" ]; then
      ready=${ready%/.ready}
      fact environment "${ready##*/}"
    fi
  done
  reach "$2"
  case $lock in "~/"*) lock=$HOME/${lock#"~/"} ;; esac
  if [ -e "$lock" ] && command -v flock >/dev/null 2>&1; then
    if flock -n "$lock" true; then fact lock free; else fact lock held; fi
  else
    fact lock free
  fi
  jobs_here=0
  for job in "$jobs"/*/job.json; do if [ -e "$job" ]; then jobs_here=$((jobs_here + 1)); fi; done
  fact jobs "$jobs_here" "$(du -sk "$work" 2>/dev/null | cut -f1)"
  if command -v loginctl >/dev/null 2>&1; then
    # shellcheck disable=SC2086
    fact logout "$($within loginctl show-logind 2>/dev/null -p KillUserProcesses --value)" "$($within loginctl show-user "$(id -u)" -p Linger --value 2>/dev/null)"
  fi
  tell checked
}

# The way to the model hub, by whatever can ask.
reach() {
  if command -v curl >/dev/null 2>&1; then
    if curl -fsSI -m 8 -o /dev/null "$1" 2>/dev/null; then fact hub reached; else fact hub unreached; fi
  elif command -v wget >/dev/null 2>&1; then
    if wget -q --spider -T 8 -t 1 "$1" 2>/dev/null; then fact hub reached; else fact hub unreached; fi
  elif command -v python3 >/dev/null 2>&1; then
    if python3 -c 'import sys, urllib.request; urllib.request.urlopen(urllib.request.Request(sys.argv[1], method="HEAD"), timeout=8)' "$1" 2>/dev/null; then fact hub reached; else fact hub unreached; fi
  fi
}

# Whether a process belongs to a job of ours: its session is led by a runner.
ours() {
  { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  grep -qs "\"pid\":$4," "$jobs"/*/attempts/*/runner.json
}

# gpu_left PID BOOT: what is left of the session or group that PID led and holds memory of the GPU is ended, and named: a line each with pid, MiB
# and name, then "told". Only what nvidia-smi itself says tells that memory is free again: a process may hang on in the driver.
gpu_left() {
  leader=$1
  boot="$(cat /proc/sys/kernel/random/boot_id) $(readlink /proc/self/ns/pid 2>/dev/null)"
  if [ "$boot" = "$2" ] && command -v nvidia-smi >/dev/null 2>&1; then
    within=
    if command -v timeout >/dev/null 2>&1; then within='timeout 20'; fi
    # shellcheck disable=SC2086
    $within nvidia-smi --query-compute-apps=pid,used_memory,process_name --format=csv,noheader,nounits 2>/dev/null |
      while IFS=', ' read -r pid used name; do
        case $pid in '' | *[!0-9]*) continue ;; esac
        { IFS= read -r stat <"/proc/$pid/stat"; } 2>/dev/null || stat=
        # shellcheck disable=SC2086
        set -- ${stat##*) }
        if [ "$pid" != "$leader" ] && [ "${3:-}" != "$leader" ] && [ "${4:-}" != "$leader" ]; then continue; fi
        kill -s KILL "$pid" 2>/dev/null
        case $used in '' | *[!0-9]*) used=0 ;; esac
        tell "left $pid $used $(printf '%s' "$name" | tr -s '\n\t' '  ' | cut -c1-100)"
      done
  fi
  tell told
}
