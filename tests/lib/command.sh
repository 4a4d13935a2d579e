# What tests of the command line share. They run in the project's folder with MOTE (the executable, absolute) and WORK (an empty
# folder, where they go). A test prints nothing if all is well.
set -u
MOTE=${MOTE:-$PWD/build/release/mote}
WORK=${WORK:-$(mktemp -d)}
ROOT=$PWD
cd "$WORK" || exit 1

# run WORD...: its output in $out, its errors in $err, its status in $status. Standard input: the file $input.
input=/dev/null
run() {
    timeout 120 "$@" <"$input" >"$WORK/.out" 2>"$WORK/.err"
    status=$?
    out=$(cat "$WORK/.out")
    err=$(cat "$WORK/.err")
    command="$*"
}
complain() {
    echo "$command"
    echo "    $1"
    echo "    status $status, output: $out"
    echo "    errors: $err"
}
mote() { run "$MOTE" "$@"; }

# Each says what the last run must have shown.
status_is() { [ "$status" -eq "$1" ] || complain "status should be $1"; }
out_is() { [ "$out" = "$1" ] || complain "output should be: $1"; }
err_is() { [ "$err" = "$1" ] || complain "errors should be: $1"; }
out_has() { case $out in *"$1"*) ;; *) complain "output should have: $1" ;; esac; }
err_has() { case $err in *"$1"*) ;; *) complain "errors should have: $1" ;; esac; }
err_lacks() { case $err in *"$1"*) complain "errors should lack: $1" ;; esac; }
one_line() { [ "$(printf '%s\n' "$1" | wc -l)" -eq 1 ] && [ -n "$1" ] || complain "should be one line: $1"; }
same_file() { cmp "$1" "$2" || { command="cmp $1 $2"; complain "should be the same"; }; }

# module NAME: writes NAME.erl from standard input and compiles it.
module() {
    { echo "-module($1)."; cat; } >"$1.erl"
    erlc -W0 +deterministic "$1.erl" || echo "erlc $1.erl failed"
}
