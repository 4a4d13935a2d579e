%% Damaged modules, loaded and run: whatever the bytes, the VM refuses them or runs them; it does not crash, hang or leak.
%% prepare/1 (on erl) makes copies of library modules under names of their own, so that their mutants replace nothing.
-module(mutants).
-export([prepare/1, main/1]).

%% [Dir, Module...]: DIR/MODULE_copy.beam for each.
prepare([Dir | Modules]) ->
    _ = [copy(atom_to_list(Dir), M) || M <- Modules],
    ok.

copy(Dir, M) ->
    Source = filename:join([code:lib_dir(stdlib), "src", atom_to_list(M) ++ ".erl"]),
    {ok, Forms} = epp:parse_file(Source, [filename:join(code:lib_dir(kernel), "include")], []),
    Name = list_to_atom(atom_to_list(M) ++ "_copy"),
    Renamed = [renamed(F, Name) || F <- Forms, not is_spec(F)],
    {ok, Name, Beam} = compile:forms(Renamed, [deterministic, report_errors]),
    ok = file:write_file(filename:join(Dir, atom_to_list(Name) ++ ".beam"), Beam).

is_spec({attribute, _, Kind, _}) -> lists:member(Kind, [spec, callback, optional_callbacks]);
is_spec(_) -> false.

renamed({attribute, L, module, _}, Name) -> {attribute, L, module, Name};
renamed(F, _) -> F.

%% [File, Seed, Count]: loads and runs so many mutants of one to eight bytes.
main([File, Seed, Count]) ->
    {ok, Beam} = file:read_file(File),
    M = list_to_atom(filename:basename(File, ".beam")),
    ok = mote:load_binary(M, File, Beam),
    Exports = [E || {F, _} = E <- M:module_info(exports), F =/= module_info],
    forget(M),
    Sink = spawn(fun sink/0),
    group_leader(Sink, Sink),
    Here = processes(),
    N = list_to_integer(Count),
    Counts = loop(N, list_to_integer(Seed) * 1000003 + erlang:phash2(M), {M, Beam, Exports, Sink, Here}, #{}),
    io:format("~w: ~w ~w~n", [M, N, lists:sort(maps:to_list(Counts))]).

sink() ->
    receive
        {io_request, From, As, _} -> From ! {io_reply, As, ok}, sink();
        _ -> sink()
    end.

loop(0, _, _, Counts) -> Counts;
loop(N, S0, {M, Beam, Exports, Sink, Here} = Context, Counts) ->
    {Bytes, S1} = t:pick([1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8], S0),
    {Mutant, S2} = mutate(Bytes, Beam, S1),
    {What, S3} =
        case mote:load_binary(M, "mutant", Mutant) of
            {error, _} -> {refused, S2};
            _ -> run(M, Exports, Sink, S2)
        end,
    forget(M),
    _ = [exit(P, kill) || P <- processes() -- Here],
    loop(N - 1, S3, Context, maps:update_with(What, fun(C) -> C + 1 end, 1, Counts)).

mutate(0, Beam, S) -> {Beam, S};
mutate(N, Beam, S0) ->
    {At, S1} = t:rand(byte_size(Beam), S0),
    {How, S2} = t:rand(4, S1),
    {Any, S3} = t:rand(256, S2),
    <<Before:At/binary, Old, After/binary>> = Beam,
    New = case How of
        0 -> Any;
        1 -> Old bxor (1 bsl (Any rem 8));
        2 -> Old + 1;
        3 -> Old - 1
    end,
    mutate(N - 1, <<Before/binary, New, After/binary>>, S3).

forget(M) ->
    _ = (catch erlang:delete_module(M)),
    code:purge(M).

%% Some of its functions with some arguments, in a process that may be killed.
run(M, Exports, Sink, S0) ->
    {Calls, S1} = calls(6, Exports, [], S0),
    {Pid, Ref} = erlang:spawn_opt(
        fun() ->
            group_leader(Sink, self()),
            _ = [catch apply(M, F, Args) || {F, Args} <- Calls],
            exit(through)
        end, [monitor, {max_heap_size, #{size => 2000000, kill => true, error_logger => false}}]),
    What =
        receive {'DOWN', Ref, process, Pid, Reason} -> case Reason of through -> ran; _ -> died end
        after 50 ->
            exit(Pid, kill),
            receive {'DOWN', Ref, process, Pid, _} -> killed end
        end,
    {What, S1}.

calls(0, _, Calls, S) -> {Calls, S};
calls(N, Exports, Calls, S0) ->
    {{F, A}, S1} = t:pick(Exports, S0),
    {Args, S2} = args(A, [], S1),
    calls(N - 1, Exports, [{F, Args} | Calls], S2).

args(0, Args, S) -> {Args, S};
args(N, Args, S0) ->
    {X, S1} = t:pick(pool(), S0),
    args(N - 1, [X | Args], S1).

pool() ->
    [0, 1, 2, 17, -3, 1 bsl 70, 2.5, a, b, [], [1, 2, 3], [3, 1, 2, 1], "a b,c", [{b, 2}, {a, 1}], [{1, x}, {2, y}], [[1], [2, 3]], ["ab", "c"],
     <<>>, <<"abc,def">>, <<1, 2, 3:4>>, #{}, #{a => 1, b => [2]}, maps:from_list([{I, I} || I <- lists:seq(1, 50)]), {}, {1, 2}, {a, b, c},
     fun(X) -> X end, fun(X) -> [X] end, fun(_) -> true end, fun(X, Y) -> {X, Y} end, fun(X, Y) -> X =< Y end, fun(X, Y, Z) -> [X, Y | Z] end,
     lists:seq(1, 40), list_to_tuple(lists:seq(1, 12)), make_ref(), self()].
