# What is called in FILE, and what the status says: start/0 as AtomVM does, main/1 as escript does.
. tests/lib/command.sh

module hello <<'.'
-export([start/0, main/1]).
start() -> io:format("hello~n").
main(_) -> io:format("not this one~n").
.
module value <<'.'
-export([start/0]).
start() -> {a, "text", <<"bin", 255>>, 1.5, -7, #{k => [v | t]}, 'odd atom', [], "äö"}.
.
module zero <<'.'
-export([start/0]).
start() -> 0.
.
module one <<'.'
-export([start/0]).
start() -> 1.
.
module words <<'.'
-export([main/1]).
main(["fail" | _]) -> error(asked_to);
main(["throw"]) -> throw(ball);
main(["exit"]) -> exit(normal);
main(["halt", N]) -> halt(list_to_integer(N));
main(Args) -> io:format("~tp~n", [Args]), {this, is, ignored}.
.
module spare <<'.'
-export([start/1, other/0]).
start(_) -> ok.
other() -> ok.
.
module late <<'.'
-export([start/0]).
start() -> spawn(fun() -> timer:sleep(100), io:format("never seen~n") end), ok.
.

for way in "" --native; do
    mote $way hello.beam
    out_is "hello
Return value: ok"; err_is ""; status_is 0
    mote $way hello.erl
    out_is "hello
Return value: ok"; err_is ""; status_is 0
    mote $way hello.beam words that nobody reads
    out_is "hello
Return value: ok"; status_is 0
    mote $way words.beam
    out_is "[]"; status_is 0
    mote $way words.beam a "b c" äö -x --native ""
    out_is '["a","b c","äö","-x","--native",[]]'; status_is 0
    mote $way words.erl a b
    out_is '["a","b"]'; status_is 0
    mote $way words.beam fail
    out_is ""; err_has asked_to; status_is 127
    mote $way words.erl fail
    err_has asked_to; status_is 127
done
mote zero.beam
out_is "Return value: 0"; status_is 0
mote one.beam
out_is "Return value: 1"; status_is 1
mote value.beam
out_is 'Return value: {a,"text",<<98,105,110,255>>,1.5,-7,#{k => [v|t]},'"'odd atom'"',[],"äö"}'; status_is 1
mote words.beam throw
err_has ball; status_is 127
mote words.beam exit
status_is 127
mote words.beam halt 5
out_is ""; err_is ""; status_is 5
mote late.beam
out_is "Return value: ok"; status_is 0
mote spare.beam
err_has "main/1"; status_is 127

# Folders: FILE's own is on the code path.
mkdir sub
module helper <<'.'
-export([help/0]).
help() -> helped.
.
module caller <<'.'
-export([start/0]).
start() -> helper:help(), ok.
.
mv helper.beam caller.beam sub
mote sub/caller.beam
out_is "Return value: ok"; status_is 0
cd sub && mote ./caller.beam && cd ..
out_is "Return value: ok"; status_is 0
mote "$WORK/sub/caller.beam"
out_is "Return value: ok"; status_is 0

# The compiler's complaints about FILE.erl.
printf -- '-module(bad).\n-export([start/0]).\nstart() -> X.\n' >bad.erl
mote bad.erl
out_has "bad.erl:3:12: variable 'X' is unbound"; status_is 1
printf -- '-module(warned).\n-export([start/0]).\nstart() -> X = 1, ok.\n' >warned.erl
mote warned.erl
out_has "unused"; out_has "Return value: ok"; status_is 0
