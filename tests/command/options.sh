# Options: -pa, -s, -run, -e, --version, --help, --stats, --native, and what is wrong with the command line.
. tests/lib/command.sh

module say <<'.'
-export([start/0, start/1, hi/0, show/1]).
start() -> io:format("start~n").
start(A) -> io:format("start ~tp~n", [A]).
hi() -> io:format("hi~n").
show(A) -> io:format("show ~tp~n", [A]).
.
module wrong <<'.'
-export([start/0]).
start() -> io:format("the wrong one~n").
.
mkdir dir first
cp wrong.beam first/say.beam
mv say.beam wrong.beam dir

mote -pa dir -s say
out_is start; status_is 0
mote -pa dir -s say hi
out_is hi; status_is 0
mote -pa dir -s say show a "b c" 1 äö
out_is "show [a,'b c','1',äö]"; status_is 0
mote -pa dir -run say show a "b c" 1 äö
out_is 'show ["a","b c","1","äö"]'; status_is 0
mote -pa dir -run say
out_is start; status_is 0
mote -pa dir -s say hi -run say show x -s say
out_is 'hi
show ["x"]
start'; status_is 0
mote -pa dir -pa nowhere -e "say:hi()"
out_is 'hi
ok'; status_is 0
run env ERL_LIBS="$WORK/libs" "$MOTE" -s say
status_is 1
mkdir -p libs/some-1.2/ebin
cp dir/say.beam libs/some-1.2/ebin
run env ERL_LIBS="$WORK/none:$WORK/libs" "$MOTE" -s say
out_is start; status_is 0

mote -e 'lists:seq(1, 3)'
out_is '[1,2,3]'; status_is 0
mote -e 'X = 2, [X * X || _ <- "ab"].'
out_is '[4,4]'; status_is 0
mote -e '"äöü"' -e '<<"text">>' -e 'fun lists:map/2' -e 1.0e22
out_is '"äöü"
<<"text">>
fun lists:map/2
1.0e22'; status_is 0
mote -e 'io:format("~s~n", [abc])'
out_is 'abc
ok'; status_is 0
mote --native -e 'lists:sum(lists:seq(1, 100000))'
out_is 5000050000; status_is 0
mote -e 'foo('
err_has "-e:1: syntax error before"; status_is 1
mote -e 'X'
err_has "unbound"; status_is 1
mote -e '1 / 0'
err_has "called as 1 / 0"; status_is 1
mote -e 'exit(enough)'
err_has enough; status_is 1
mote -e 'halt(3)' -e 'io:format("never~n")'
out_is ""; status_is 3
mote -e 'erlang:error(first)' -e 'io:format("never~n")'
out_is ""; status_is 1

mote --version
out_has "mote "; one_line "$out"; err_is ""; status_is 0
mote --help
out_has "mote verify"; out_has "mote disasm"; out_has "mote pack"; err_is ""; status_is 0
for word in -pa -s -run -e --native --stats --version --help; do
    out_has " $word"
done
mote -h
out_has "mote verify"; status_is 0
mote --stats -pa dir -s say
out_is start; status_is 0
for word in memory processes reductions collected time; do
    err_has "$word"
done

mote
out_is ""; err_has "mote verify"; status_is 2
mote --bogus
out_is ""; one_line "$err"; err_has "--bogus: unknown option"; status_is 2
mote -x dir/say.beam
out_is ""; one_line "$err"; err_has "-x: unknown option"; status_is 2
for word in -pa -e -s -run; do
    mote $word
    out_is ""; one_line "$err"; err_has "$word: needs a word"; status_is 2
done
mote -s nomod
err_has "undefined function nomod:start/0"; status_is 1
mote -pa dir -s say nofun
err_has "undefined function say:nofun/0"; status_is 1

# Where OTP is: MOTE_OTP, else `erl` on the PATH.
run env MOTE_OTP=/usr/lib/erlang PATH=/nonexistent "$MOTE" -e 'length(lists:seq(1, 5))'
out_is 5; status_is 0
run env MOTE_OTP="$WORK/nothing" "$MOTE" -e 1
status_is 1; err_lacks "SUMMARY"
