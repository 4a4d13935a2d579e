# Out of processes, ports, descriptors: the error, who gets it, and that all goes on when there is room again. Tables have no limit.
cd "$WORK" || exit 1
erlc -W0 -o . "$TESTS/limits.erl" || exit 1
try() { what=$1; shift; erl "$@" -noshell -eval "limits:$what(), halt()." < /dev/null 2>&1; }
try processes +P 1024
try processes +P 2000
try ports +Q 1024
try tables +e 500
try tables +e 10000
ERL_MAX_ETS_TABLES=9000 try tables
(ulimit -n 64; try files)
try told +P 5000 +Q 3000 +t 100000
