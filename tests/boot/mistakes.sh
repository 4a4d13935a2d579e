# What does not go well: files that are damaged, missing or full, arguments that nothing can be made of. The same message and status.
cd "$WORK" || exit 1
export ERL_CRASH_DUMP_SECONDS=0
clean() { tr -d '\r' | sed -e 's/<[0-9]*\.[0-9.]*>/PID/g' -e 's/[0-9-]*-[A-Z][a-z][a-z]-[0-9]*::[0-9:.]*/DATE/g' -e '/^$/d' -e '/^Usage: erl /d' -e 's/\(do_boot.*preLoaded\).*/\1/' -e 's/[ ,]*{file,"[^"]*"},{line,[0-9]*}//g'; }
# try WORDS...: erl, which may not wait for anything, its output and status.
try() {
    echo "-- $*"
    timeout 100 erl "$@" < /dev/null > out 2>&1; status=$?
    clean < out | head -n "${LINES_WANTED:-30}"; echo "status $status"
}
# The status has to do where two processes of erl print at once, letter by letter, or one before the other has been heard.
fails() {
    echo "-- $*"
    timeout 100 erl "$@" < /dev/null > /dev/null 2>&1
    echo "status $?"
}
# The first word has to do where the rest tells how to call erl.
usage() { LINES_WANTED=0 try "$@"; }

root=$(erl -noshell -eval 'io:put_chars(code:root_dir()), halt().')
# The boot file.
try -noshell -boot nothing
: > empty.boot; fails -noshell -boot empty
head -c 60 "$root/bin/start.boot" > short.boot; fails -noshell -boot short
head -c 50 /dev/zero > zero.boot; fails -noshell -boot zero
mkdir dir.boot; try -noshell -boot dir
cat > make <<'END'
#!/usr/bin/env escript
write(Name, Term) -> file:write_file(Name ++ ".boot", term_to_binary(Term)).
main(_) ->
    {ok, B} = file:read_file(filename:join([code:root_dir(), "bin", "start_clean.boot"])),
    {script, Id, Commands} = binary_to_term(B),
    write("other", {something, else}),
    write("unknown", {script, Id, [{preLoaded, []}, {no_such_command, 1} | Commands]}),
    write("missing", {script, Id, [case C of {primLoad, Ms} -> {primLoad, Ms ++ [not_there]}; _ -> C end || C <- Commands]}),
    write("path", {script, Id, [case C of {path, _} -> {path, ["/nowhere/at/all"]}; _ -> C end || C <- Commands]}),
    write("failing", {script, Id, [case C of {apply, {application, start_boot, [stdlib | T]}} -> {apply, {application, start_boot, [not_there | T]}}; _ -> C end || C <- Commands]}).
END
escript make
for name in other unknown missing path failing; do fails -noshell -boot "$name" -eval 'halt().'; done
# Modules and the code path.
printf 'FOR1 and no more' > damaged.beam
printf -- '-module(good).\n-export([f/0]).\nf() -> io:format("good~n"), halt().\n' > good.erl
erlc good.erl && head -c 300 good.beam > half.beam
mkdir folder.beam
for module in damaged half folder good; do try -noshell -pa . -s "$module" f; done
try -noshell -pa nowhere good.erl /dev/null -eval 'good:f()'
try -noshell -pa "" -pz -eval 'io:format("here~n"), halt().'
mkdir unreadable && chmod 0 unreadable
try -noshell -pa unreadable -eval 'io:format("~p~n", [code:where_is_file("x.beam")]), halt().'
mv good.beam misnamed.beam; try -noshell -pa . -s misnamed f
try -noshell -mode sideways -eval 'io:format("~p~n", [code:get_mode()]), halt().'
# Arguments.
usage +zzz; usage +S 0; usage +P 1; usage +A 5000; usage +sbt sideways; usage +h; usage +K; usage +C never
try -args_file nothing; try -args_file .; try -args_file
printf '%s\n' '# all of it' '-noshell "-eval" ' "'io:format(\"from a file~n\"),'\\ 'halt(4).' # the end" > args; try -args_file args
printf '%s' '-noshell -eval "halt(' > args; try -args_file args
try -env; try -env A; try -noshell -env A B -eval 'io:format("~p~n", [os:getenv("A")]), halt().'
try -noshell -eval -s init stop; try -noshell -eval 'foo('; try -noshell -eval 'foo:bar().'; try -noshell -eval 'error(no).' -s init stop
try -noshell -run -s init stop; try -noshell -run foo bar; try -noshell -s foo; try -noshell -s good f
# Configurations.
echo '[{a, [{b, c}]}' > bad.config; try -noshell -config bad -eval 'halt().'
echo '[{a, b}].' > odd.config; try -noshell -config odd -eval 'halt().'
echo '{a}.' > wrong.config; try -noshell -config wrong -eval 'halt().'
echo '[{kernel, [{logger_level, sideways}]}].' > level.config; fails -noshell -config level -eval 'halt().'
try -noshell -kernel logger_level -eval 'halt().'
# Disks that are full, files that are closed.
erl -noshell -eval 'io:format("~p~n", [file:write_file("/dev/full", <<1>>)]), {ok, F} = file:open("/dev/full", [write, {delayed_write, 100, 1000}]),
    io:format("~p~n", [[file:write(F, "abc"), file:sync(F), file:write(F, "abc"), file:close(F), file:close(F)]]), halt().'; echo "status $?"
erl -noshell -eval 'io:format("text~n"), init:stop(3).' > /dev/full 2> /dev/null < /dev/null; echo "status $?"
erl -noshell -eval 'io:format("text~n"), halt(3).' >&- < /dev/null; echo "status $?"
erl -noshell -eval 'io:format("~p~n", [io:get_line("")]), halt(3).' <&-; echo "status $?"
ln -s /dev/full full.beam; printf -- '-module(full).\n' > full.erl; erlc full.erl; echo "status $?"
erlc -o nowhere full.erl; echo "status $?"
ERL_CRASH_DUMP=/dev/full ERL_CRASH_DUMP_SECONDS=-1 erl -noshell -eval 'halt("slogan").' > out 2>&1 < /dev/null; echo "status $?"; clean < out
