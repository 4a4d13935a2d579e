# erlc and -make, with what they say about mistakes.
cd "$WORK" || exit 1
cat > good.erl <<'END'
-module(good).
-export([f/1, g/0]).
-record(r, {a, b = 2}).
f(#r{a = A}) -> A;
f(X) when is_binary(X) -> << <<(B + 1)>> || <<B>> <= X >>.
g() -> try error(x) catch error:x:S -> length(S) > 0 end.
END
cat > bad.erl <<'END'
-module(bad).
-export([f/1]).
f(X) -> Y.
g( -> 1.
END
cat > warns.erl <<'END'
-module(warns).
-export([f/1]).
f(X) -> 1.
h() -> 2.
END
printf "{'good', [debug_info]}.\n{[warns], []}.\n" > Emakefile
erlc good.erl; echo "status $?"
erlc bad.erl; echo "status $?"
erlc -Wall +debug_info -o . warns.erl; echo "status $?"
erlc -Werror warns.erl; echo "status $?"
erlc nothing.erl; echo "status $?"
erlc -S -o . good.erl; echo "status $?"
erlc -E good.erl; echo "status $?"; cksum good.E good.S < /dev/null
rm -f *.beam
erl -make; echo "status $?"
erl -noshell -eval 'io:format("~p ~p ~w~n", [good:f(<<1,2>>), good:g(), good:module_info(md5)]), halt().'
cat > x.yrl <<'END'
Nonterminals list. Terminals word. Rootsymbol list.
list -> word : ['$1'].
list -> word list : ['$1' | '$2'].
END
cat > y.xrl <<'END'
Definitions.
Rules.
[a-z]+ : {token, {word, TokenLine, TokenChars}}.
\s+ : skip_token.
Erlang code.
END
erlc x.yrl y.xrl; echo "status $?"
erlc x.erl y.erl; echo "status $?"
erl -noshell -eval '{ok, T, _} = y:string("ab cd"), io:format("~p~n", [x:parse(T)]), halt().'
