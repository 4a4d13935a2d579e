# escript: source, compiled, archives; arguments, statuses and mistakes.
cd "$WORK" || exit 1
cat > s <<'END'
#!/usr/bin/env escript
%% -*- erlang -*-
%%! +sbtu +A1 -kernel x y
main(["fail"]) -> exit(oops);
main(["throw"]) -> throw(oops);
main(["status", S]) -> halt(list_to_integer(S));
main(Args) ->
    io:format("~p ~p ~p~n", [Args, escript:script_name(), application:get_env(kernel, x)]),
    io:format("~p~n", [[X || X <- lists:seq(1, 10), X rem 2 =:= 0]]).
END
chmod +x s
escript s; echo "status $?"
escript s a "b c" -x +y; echo "status $?"
./s direct; echo "status $?"
unnamed() { sed "s/s__escript__[0-9_]*:/s__escript:/"; }
escript s fail 2>&1 | unnamed
escript s throw 2>&1 | unnamed
escript s status 5; echo "status $?"
escript -c s compiled; echo "status $?"
escript -s s; echo "status $?"
escript nothing; echo "status $?"
printf '#!/usr/bin/env escript\nmain(_) -> foo(.\n' > broken
escript broken; echo "status $?"
cat > a.erl <<'END'
-module(a).
-export([main/1]).
main(A) -> io:format("archive ~p ~p~n", [A, b:f()]).
END
printf -- '-module(b). -export([f/0]). f() -> 42.\n' > b.erl
erlc a.erl b.erl
cat > pack <<'END'
main(_) ->
    Files = [begin {ok, B} = file:read_file(F), {F, B} end || F <- ["a.beam", "b.beam"]],
    ok = escript:create("packed", [shebang, {emu_args, "-escript main a"}, {archive, Files, []}]).
END
sed -i '1i #!/usr/bin/env escript' pack
escript pack
escript packed 1 2; echo "status $?"
