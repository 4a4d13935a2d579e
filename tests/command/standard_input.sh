# What programs read from standard input, as on erl.
. tests/lib/command.sh

module lines <<'.'
-export([main/1]).
main(["lines"]) -> lines(1);
main(["chars"]) -> io:format("~p~n", [io:get_chars("", 5)]), main(["rest"]);
main(["terms"]) -> io:format("~p ~p ~p~n", [io:read(""), io:read(""), io:read("")]);
main(["fread"]) -> io:format("~p ~p~n", [io:fread("", "~d ~s"), io:fread("", "~f")]);
main(["prompt"]) -> io:format("~p~n", [io:get_line("name> ")]);
main(["bytes"]) -> io:setopts([binary, {encoding, latin1}]), io:format("~w~n", [io:get_line("")]);
main(["unicode"]) -> io:format("~w ~w~n", [io:get_line(""), io:get_chars("", 3)]);
main(["file"]) -> io:format("~p ~p~n", [file:read_line(standard_io), file:read(standard_io, 4)]);
main(["rest"]) -> io:format("~p~n", [io:get_chars("", 1000)]), io:format("~p~n", [io:get_line("")]).
lines(N) ->
    case io:get_line("") of
        eof -> io:format("eof after ~p~n", [N - 1]);
        L -> io:format("~p ~p~n", [N, L]), lines(N + 1)
    end.
.
same() { # WORD: what is printed is what erl prints
    run erl -noshell +fnu -eval 'io:setopts([{encoding, unicode}]), lines:main(init:get_plain_arguments()), halt().' -extra "$1"
    expected=$out
    mote lines.beam "$1"
    out_is "$expected"; err_is ""; status_is 0
}
printf 'one\ntwo\n\nlast' >text; input=$WORK/text
for word in lines chars prompt rest; do same $word; done
printf 'one\r\ntwo' >crlf; input=$WORK/crlf
for word in lines chars rest; do same $word; done
printf '{a, "b"}.\n[1,\n2]. oops oops.' >terms; input=$WORK/terms
same terms
printf '17 words\n2.5\n' >numbers; input=$WORK/numbers
same fread
printf 'äö€\nüüü\n' >unicode; input=$WORK/unicode
for word in lines unicode; do same $word; done
input=/dev/null
for word in lines chars terms prompt rest; do same $word; done
seq 1 20000 >large; input=$WORK/large
same lines
