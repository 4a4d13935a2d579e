%% Loading, replacing, purging code: what the code server and erts_code_purger ask of the machine.
-module(code_loading).
-export([main/0, call/1]).

main() ->
    logger:set_primary_config(level, none),
    code:purge(v),
    [begin
         io:format("~p: ~p~n", [Name, try Test() catch C:R -> {C, R} end])
     end || {Name, Test} <- tests()].

tests() ->
    [{two_versions, fun two_versions/0}, {old_is_kept, fun old_is_kept/0}, {soft_purge, fun soft_purge/0},
     {purge_kills, fun purge_kills/0}, {funs_of_old_code, fun funs_of_old_code/0}, {funs_while_purging, fun funs_while_purging/0},
     {fun_of_same_code, fun fun_of_same_code/0}, {literals_stay, fun literals_stay/0}, {on_load, fun on_load/0},
     {on_load_fails, fun on_load_fails/0}, {on_load_fails_over_old, fun on_load_fails_over_old/0}, {on_load_waits, fun on_load_waits/0},
     {delete, fun delete/0}, {atomic, fun atomic/0}, {prepared, fun prepared/0}, {info, fun info/0}, {bad_files, fun bad_files/0},
     {upgrade, fun upgrade/0}, {check_self, fun check_self/0}, {external_funs, fun external_funs/0}, {sticky, fun sticky/0},
     {exported, fun exported/0}, {catches, fun catches/0}, {timers_and_messages, fun timers_and_messages/0}].

%% A module from its text.
compile(Text) -> compile(Text, []).
compile(Text, Options) ->
    {ok, Tokens, _} = erl_scan:string(Text),
    Forms = [begin {ok, F} = erl_parse:parse_form(T), F end || T <- split(Tokens, [])],
    {ok, M, Binary} = compile:forms(Forms, Options),
    {M, Binary}.
split([], []) -> [];
split([{dot, _} = D | T], Form) -> [lists:reverse([D | Form]) | split(T, [])];
split([X | T], Form) -> split(T, [X | Form]).

load(Text) ->
    {M, Binary} = compile(Text),
    code:purge(M),
    code:load_binary(M, atom_to_list(M) ++ ".beam", Binary).

v(N) ->
    load("-module(v). -export([n/0, loop/0, make/1, wait/1, literal/0, inner/1, caught/1]).
          n() -> " ++ integer_to_list(N) ++ ".
          loop() -> receive {P, what} -> P ! {self(), n()}, loop(); {P, next} -> P ! {self(), moved}, v:loop(); stop -> ok end.
          make(X) -> fun() -> {n(), X} end.
          wait(F) -> receive go -> F() end, n().
          inner(P) -> P ! {self(), catch receive go -> n() end}.
          caught(P) -> P ! {self(), try receive go -> exit(n()) end catch exit:E -> {exited, E} end}.
          literal() -> {literal, [n(), " ++ integer_to_list(N) ++ ", \"text of version " ++ integer_to_list(N) ++ "\"],
                        #{key => <<\"" ++ lists:duplicate(100, $a + N) ++ "\">>}}.").

gone(M) -> code:purge(M), code:delete(M), code:purge(M).

ask(Pid, What) -> Pid ! {self(), What}, receive {Pid, A} -> A after 2000 -> timeout end.

call(F) -> F().

two_versions() ->
    v(1),
    P = spawn(fun v:loop/0),
    A = ask(P, what),
    v(2),
    B = ask(P, what),
    C = ask(P, next),
    D = ask(P, what),
    P ! stop,
    {A, B, C, D, v:n()}.

old_is_kept() ->
    gone(v), v(1),
    P = spawn(fun() -> v:loop() end),
    ask(P, what),
    v(2),
    {M, B} = compile("-module(v). -export([n/0]). n() -> 3."),
    R = {erlang:check_old_code(v), erlang:check_process_code(P, v), code:load_binary(M, "v.beam", B), v:n(), is_process_alive(P)},
    P ! stop,
    R.

soft_purge() ->
    gone(v), v(1),
    P = spawn(v, loop, []),
    ask(P, what),
    v(2),
    A = code:soft_purge(v),
    B = ask(P, what),
    ask(P, next),
    C = code:soft_purge(v),
    D = ask(P, what),
    P ! stop,
    {A, B, C, D, erlang:check_old_code(v)}.

purge_kills() ->
    gone(v), v(1),
    {P, M} = spawn_monitor(v, loop, []),
    ask(P, what),
    v(2),
    A = code:purge(v),
    B = receive {'DOWN', M, _, _, R} -> R after 2000 -> timeout end,
    {A, B, code:purge(v)}.

funs_of_old_code() ->
    gone(v), v(1),
    F = v:make(x),
    A = F(),
    v(2),
    B = F(),
    logger:set_primary_config(level, none),
    code:purge(v),
    C = try F() catch error:E -> element(1, E) end,
    {A, B, C, erlang:fun_info(F, module), erlang:fun_info(F, type)}.

%% Somebody calls a fun of old code again and again while it is purged.
funs_while_purging() ->
    gone(v), v(1),
    F = v:make(x),
    v(2),
    Self = self(),
    {P, M} = spawn_monitor(fun() -> spin(F, Self) end),
    receive {P, spinning} -> ok end,
    logger:set_primary_config(level, none),
    code:purge(v),
    receive
        {'DOWN', M, _, _, {{badfun, _}, _}} -> ended;
        {'DOWN', M, _, _, killed} -> ended; %% it was in the fun just then
        {'DOWN', M, _, _, R} -> R
    after 5000 -> timeout
    end.
spin(F, P) ->
    P ! {self(), spinning},
    spin1(F).
spin1(F) -> {1, x} = F(), spin1(F).

fun_of_same_code() ->
    gone(v), v(1),
    F = v:make(x),
    v(1),
    logger:set_primary_config(level, none),
    code:purge(v),
    F().

literals_stay() ->
    gone(v), v(1),
    L = v:literal(),
    T = ets:new(t, []),
    ets:insert(T, {key, L}),
    put(lit, L),
    Self = self(),
    P = spawn(fun() -> receive go -> Self ! {self(), L} end end),
    Q = spawn(fun() -> X = v:literal(), receive go -> Self ! {self(), X} end end),
    erlang:yield(),
    [begin v(N), code:purge(v), erlang:garbage_collect() end || N <- lists:seq(2, 20)],
    P ! go, Q ! go,
    A = receive {P, X} -> X end,
    B = receive {Q, Y} -> Y after 100 -> L end,
    {L =:= A, L =:= B, L =:= get(lit), ets:lookup(T, key) =:= [{key, L}], L}.

on_load() ->
    gone(w),
    R = load("-module(w). -export([n/0]). -on_load(start/0). start() -> register(w_loaded, spawn(fun() -> receive stop -> ok end end)), ok. n() -> 1."),
    A = {R, is_pid(whereis(w_loaded)), w:n(), erlang:module_loaded(w)},
    w_loaded ! stop,
    A.

on_load_fails() ->
    gone(w),
    logger:set_primary_config(level, none),
    [begin
         R = load("-module(w). -export([n/0]). -on_load(start/0). start() -> " ++ Body ++ ". n() -> 1."),
         {R, erlang:module_loaded(w), catch_error(fun() -> w:n() end)}
     end || Body <- ["not_ok", "error(x)", "exit(self(), kill), receive after infinity -> ok end", "throw(ok)"]].
catch_error(F) -> try F() catch C:R -> {C, R} end.

on_load_fails_over_old() ->
    gone(w),
    logger:set_primary_config(level, none),
    load("-module(w). -export([n/0, loop/0]). n() -> 1. loop() -> receive {P, X} -> P ! {self(), X, n()}, loop(); stop -> ok end."),
    P = spawn(fun() -> w:loop() end),
    load("-module(w). -export([n/0]). n() -> 2."),
    R = code:load_binary(w, "w.beam", element(2, compile("-module(w). -export([n/0]). -on_load(s/0). s() -> no. n() -> 3."))),
    P ! {self(), a},
    A = receive {P, a, N} -> N after 500 -> is_process_alive(P) end,
    {R, w:n(), A, erlang:check_old_code(w)}.

%% Others wait until the on_load function has ended.
on_load_waits() ->
    gone(w),
    Self = self(),
    register(tester, self()),
    {M, B} = compile("-module(w). -export([n/0]). -on_load(s/0). s() -> tester ! {self(), loading}, receive go -> ok end. n() -> 4."),
    spawn(fun() -> code:load_binary(M, "w.beam", B) end),
    L = receive {P, loading} -> P end,
    [spawn(fun() -> Self ! {answer, w:n()} end) || _ <- [1, 2, 3]],
    A = receive {answer, X} -> X after 100 -> none end,
    L ! go,
    R = [receive {answer, Y} -> Y after 2000 -> timeout end || _ <- [1, 2, 3]],
    unregister(tester),
    {A, R}.

delete() ->
    gone(v), v(1),
    A = code:delete(v),
    B = erlang:function_exported(v, n, 0),
    C = catch_error(fun() -> v:n() end),
    D = code:delete(v),
    E = code:purge(v),
    {A, B, C, D, E, code:is_loaded(v), erlang:delete_module(no_such), catch_error(fun() -> erlang:delete_module("x") end)}.

atomic() ->
    gone(v), gone(w),
    One = [begin {M, B} = compile(T), {M, atom_to_list(M) ++ ".beam", B} end
           || T <- ["-module(v). -export([f/0]). f() -> w:g().", "-module(w). -export([g/0]). g() -> 5."]],
    A = code:atomic_load(One),
    B = v:f(),
    C = code:atomic_load(One ++ One),
    code:atomic_load(One),
    E = catch_error(fun() -> erlang:finish_loading([prepare(X) || X <- One]) end),
    {M1, B1} = compile("-module(u). -on_load(x/0). -export([x/0]). x() -> ok."),
    F = code:atomic_load([{M1, "u.beam", B1}]),
    G = code:prepare_loading([lists, no_such_module_at_all]),
    {A, B, C, E, F, G}.
prepare({M, _, B}) -> erlang:prepare_loading(M, B).

prepared() ->
    gone(v),
    {M, B} = compile("-module(v). -export([n/0]). n() -> 9."),
    P = erlang:prepare_loading(M, B),
    A = {is_reference(P), erlang:has_prepared_code_on_load(P), erlang:module_loaded(v)},
    R = erlang:finish_loading([P]),
    {A, R, v:n(), catch_error(fun() -> erlang:finish_loading([P]) end), catch_error(fun() -> erlang:finish_loading([x]) end),
     catch_error(fun() -> erlang:has_prepared_code_on_load(make_ref()) end)}.

info() ->
    gone(v),
    {M, B} = compile("-module(v). -vsn(7). -attr(a). -attr([b, c]). -export([n/0, f/2]). n() -> g(1). f(A, _) -> A. g(X) -> fun() -> X end.", [debug_info]),
    code:load_binary(M, "/somewhere/v.beam", B),
    {v:module_info(module), lists:sort(v:module_info(exports)), lists:sort(v:module_info(functions)), v:module_info(attributes),
     proplists:get_value(version, v:module_info(compile)) =/= undefined, v:module_info(md5) =:= erlang:get_module_info(v, md5),
     v:module_info(md5) =:= element(2, element(2, {ok, {v, erlang:md5(<<>>)}})), code:module_md5(B) =:= v:module_info(md5),
     [element(1, X) || X <- v:module_info()], v:module_info(nifs), catch_error(fun() -> v:module_info(x) end),
     catch_error(fun() -> erlang:get_module_info(no_such_thing, md5) end), code:which(v), code:is_loaded(v),
     lists:member(v, erlang:loaded()), lists:member({v, "/somewhere/v.beam"}, code:all_loaded()),
     lists:sort(erlang:pre_loaded())}.

bad_files() ->
    {M, B} = compile("-module(v). -export([n/0]). n() -> 9."),
    Half = binary:part(B, 0, byte_size(B) div 2),
    logger:set_primary_config(level, none),
    {code:load_binary(M, "v.beam", Half), code:load_binary(other, "v.beam", B), code:load_binary(M, "v.beam", <<>>),
     code:load_binary(M, "v.beam", <<"FOR1">>), catch_error(fun() -> code:load_binary(M, "v.beam", x) end),
     code:load_file(no_such_file), code:load_abs("/no/such/file"), code:ensure_loaded(no_such_file)}.

%% A gen_server changes its code as a release handler does it.
upgrade() ->
    gone(srv),
    Server = fun(N, Change) ->
        load("-module(srv). -behaviour(gen_server). -export([init/1, handle_call/3, handle_cast/2, code_change/3]).
              init(X) -> {ok, {1, X}}.
              handle_call(version, _, S) -> {reply, {" ++ N ++ ", S}, S};
              handle_call({add, Y}, _, {V, X}) -> {reply, X + Y, {V, X + Y}}.
              handle_cast(_, S) -> {noreply, S}.
              code_change(Old, S, Extra) -> " ++ Change ++ ".") end,
    Server("1", "{ok, {Old, S, Extra}}"),
    {ok, P} = gen_server:start(srv, 40, []),
    A = gen_server:call(P, {add, 2}),
    B = gen_server:call(P, version),
    sys:suspend(P),
    Server("2", "{V, X} = S, {ok, {V + 1, X, Extra, is_list(Old) orelse is_integer(Old)}}"),
    C = sys:change_code(P, srv, 1, extra),
    sys:resume(P),
    D = gen_server:call(P, version),
    E = code:soft_purge(srv),
    gen_server:stop(P),
    {A, B, C, D, E}.

check_self() ->
    gone(v), v(1),
    A = erlang:check_process_code(self(), v),
    v(2),
    {A, erlang:check_process_code(self(), v), erlang:check_process_code(self(), no_such_module),
     catch_error(fun() -> erlang:check_process_code(self(), "v") end), catch_error(fun() -> erts_internal:purge_module(v, prepare) end)}.

external_funs() ->
    gone(v),
    F = fun v:n/0,
    A = catch_error(F),
    v(3),
    B = F(),
    v(4),
    {A, B, F(), erlang:fun_info(F, type), erlang:fun_info(F, env)}.

sticky() ->
    {M, B} = compile("-module(lists). -export([n/0]). n() -> 9."),
    logger:set_primary_config(level, none),
    {code:is_sticky(lists), code:load_binary(M, "lists.beam", B), lists:reverse([1, 2])}.

exported() ->
    gone(v), v(1),
    {erlang:function_exported(v, n, 0), erlang:function_exported(v, n, 1), erlang:function_exported(erlang, abs, 1),
     erlang:is_builtin(erlang, abs, 1), erlang:is_builtin(v, n, 0), catch_error(fun() -> apply(v, nn, [1]) end)}.

%% A process whose catch belongs to code that is purged is ended; one in new code is not.
catches() ->
    gone(v), v(1),
    {P, M} = spawn_monitor(v, inner, [self()]),
    Self = self(),
    {Q, N} = spawn_monitor(fun() -> v:caught(Self) end),
    erlang:yield(), timer:sleep(20),
    v(2),
    Q ! go,
    A = receive {Q, X} -> X after 1000 -> timeout end,
    receive {'DOWN', N, _, _, Z} -> Z end,
    logger:set_primary_config(level, none),
    code:purge(v),
    B = receive {'DOWN', M, _, _, R} -> R after 2000 -> timeout end,
    P ! go,
    {A, B, Z}.

%% Literals in messages that wait and in timers outlive their module.
timers_and_messages() ->
    gone(v), v(1),
    L = v:literal(),
    erlang:send_after(100, self(), {timer, L}),
    self() ! {message, v:literal()},
    Copy = binary_to_term(term_to_binary(L)),
    [begin v(N), code:purge(v) end || N <- lists:seq(2, 10)],
    erase(lit),
    A = receive {message, X} -> X =:= Copy end,
    B = receive {timer, Y} -> Y =:= Copy after 2000 -> timeout end,
    {A, B}.
