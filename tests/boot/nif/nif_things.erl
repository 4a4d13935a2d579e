%% What lives longer than a call of a native function, and what happens beside it.
-module(nif_things).
-export([main/0, load/2, upgraded/1]).
-export([make_thing/2, look/1, bytes/1, watch/2, unwatch/1, dynamic_add/0, keep/1, kept_copy/0, send_kept/1, send_copy/2, about/2, count/2, dirty_cpu/1, dirty_io/1, dirty_sends/2,
         dirty_raise/1, dirty_sleep/1, consume/0, thread_sends/2, open_pipe/1, select_on/4, select_message/2, select_bad/1, write_pipe/1, read_pipe/1, version/0]).

load(File, Info) -> erlang:load_nif(File, Info).

-define(STUB, erlang:nif_error(not_loaded)).
make_thing(_, _) -> ?STUB.
look(_) -> ?STUB.
bytes(_) -> ?STUB.
watch(_, _) -> ?STUB.
unwatch(_) -> ?STUB.
dynamic_add() -> ?STUB.
keep(_) -> ?STUB.
kept_copy() -> ?STUB.
send_kept(_) -> ?STUB.
send_copy(_, _) -> ?STUB.
about(_, _) -> ?STUB.
count(_, _) -> ?STUB.
dirty_cpu(_) -> ?STUB.
dirty_io(_) -> ?STUB.
dirty_sends(_, _) -> ?STUB.
dirty_raise(_) -> ?STUB.
dirty_sleep(_) -> ?STUB.
consume() -> ?STUB.
thread_sends(_, _) -> ?STUB.
open_pipe(_) -> ?STUB.
select_on(_, _, _, _) -> ?STUB.
select_message(_, _) -> ?STUB.
select_bad(_) -> ?STUB.
write_pipe(_) -> ?STUB.
read_pipe(_) -> ?STUB.
version() -> ?STUB.

p(X) -> io:format("~p~n", [X]).
try_(F) -> try F() catch C:R:S -> {C, R, [setelement(4, I, []) || {nif_things, N, _, _} = I <- S, hd(atom_to_list(N)) =/= $-]} end.
%% What has happened to the thing of this number (others end when they are collected), or a message of another shape.
take(N) -> receive {_, N, _, _} = X -> X after 5000 -> nothing end.
quiet(N) -> receive {_, N, _, _} = X -> X after 50 -> nothing end.
take() -> receive X when tuple_size(X) =/= 4; element(1, X) =:= select -> X after 5000 -> nothing end.
quiet() -> receive X when tuple_size(X) =/= 4; element(1, X) =:= select -> X after 50 -> nothing end.

%% In a process that nobody else's frames are under: the old code is purged at the end.
main() ->
    p(try_(fun version/0)),
    p(load("./nif_things", -1)),
    p(load("./nif_things", 7)),
    p(version()),
    {error, {reload, Text}} = load("./nif_things", 8),
    p(Text),
    register(listener, self()),
    resources(),
    monitors(),
    p(dynamic_add()),
    environments(),
    going_on(),
    dirty(),
    threads(),
    descriptors(),
    T = upgrades(),
    ?MODULE:upgraded(T).

resources() ->
    T = make_thing(1, self()),
    {1, 1, Again, 0} = look(T),
    p({is_reference(T), T =:= Again, look(make_ref()), look(a)}),
    B = bytes(T),
    p({B, byte_size(B), look(B) =/= none}),
    Me = self(),
    %% Known to several, gone with the last.
    {P, M} = spawn_monitor(fun() -> X = make_thing(2, Me), Me ! {thing, X}, receive go -> ok end, p(element(1, look(X))) end),
    X = receive {thing, Y} -> Y end,
    p(element(1, look(X))),
    P ! go,
    receive {'DOWN', M, _, _, normal} -> ok end,
    p(element(1, look(X))),
    spawn(fun() -> make_thing(3, Me) end),
    p(take(3)),
    p({element(1, look(T)), element(1, look(X))}),
    ets:new(things, [named_table, public]),
    spawn_link(fun() -> ets:insert(things, {x, make_thing(4, Me)}), Me ! inserted end),
    receive inserted -> ok end,
    erlang:garbage_collect(),
    _ = spawn_monitor(fun() -> p(element(1, look(ets:lookup_element(things, x, 2)))) end),
    receive {'DOWN', _, _, _, normal} -> ok end,
    erlang:garbage_collect(),
    ets:delete(things),
    p(take(4)),
    spawn(fun() -> _ = [make_thing(5, Me) || _ <- lists:seq(1, 3)] end),
    p([take(5), take(5), take(5), quiet(5)]),
    p({element(1, look(T)), element(1, look(X)), B}).

monitors() ->
    Me = self(),
    T = make_thing(10, Me),
    {P, M} = spawn_monitor(fun() -> receive stop -> ok end end),
    p(watch(T, P)),
    P ! stop,
    receive {'DOWN', M, _, _, _} -> ok end,
    p(take(10)),
    p(watch(T, P)),
    P2 = spawn(fun() -> receive stop -> ok end end),
    p(watch(T, P2)),
    p(unwatch(T)),
    exit(P2, kill),
    p(quiet(10)),
    P3 = spawn(fun() -> receive stop -> ok end end),
    spawn(fun() -> watch(make_thing(11, Me), P3) end),
    p(take(11)),
    P3 ! stop,
    p(quiet(11)),
    p(element(1, look(T))).

environments() ->
    V = {a, [1, 2.5, "x", <<"bytes">>, binary:copy(<<"long">>, 100)], #{k => make_ref()}, fun() -> ok end, 1 bsl 100},
    ok = keep(V),
    erlang:garbage_collect(),
    p(kept_copy() =:= V),
    p(send_kept(self())),
    p(take() =:= {kept, V}),
    p(send_copy(self(), V)),
    p(take() =:= V),
    {P, M} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', M, _, _, _} -> ok end,
    p(send_copy(P, x)),
    Me = self(),
    {1, 1, Me, 1, Me, 0, 1, 1} = about(self(), listener),
    p(element(4, about(self(), nobody_has_this_name))),
    p(element(1, about(P, x))),
    %% Whoever waits for it gets it in order.
    R = spawn_link(fun() -> Me ! {got, [receive X -> X end || _ <- lists:seq(1, 1000)]} end),
    [send_copy(R, N) || N <- lists:seq(1, 1000)],
    p(take() =:= {got, lists:seq(1, 1000)}).

going_on() ->
    p(count(0, 7)),
    p(try_(fun() -> count(3, 2) end)),
    p(length(count(1, 300))),
    p(consume()),
    Me = self(),
    [spawn_link(fun() -> Me ! {N, length(count(0, 50 + N))} end) || N <- lists:seq(1, 20)],
    p([receive {N, L} -> L end || N <- lists:seq(1, 20)]).

dirty() ->
    Me = self(),
    V = {a, [1, 2.5, "x", <<"bytes">>], #{k => 1}},
    {V, 2, Me, 1, 0} = dirty_cpu(V),
    {V, 3, Me, 1, 0} = dirty_io(V),
    B = binary:copy(<<"0123456789">>, 1000),
    {B, 3, Me, 1, B} = dirty_io(B),
    {<<"12">>, 3, Me, 1, <<"12">>} = dirty_io(binary:part(B, 1, 2)),
    p(try_(fun() -> dirty_raise(V) end)),
    p(dirty_sends(self(), 100)),
    p([receive {number, N} -> N after 0 -> none end || N <- lists:seq(0, 99)]),
    %% While one sleeps, others run; it takes messages, and can be asked.
    {P, M} = spawn_monitor(fun() -> dirty_sleep(100), receive X -> exit({slept, X}) end end),
    P ! early,
    p(is_process_alive(P)),
    {message_queue_len, L} = process_info(P, message_queue_len),
    p(L =< 1),
    erlang:garbage_collect(P),
    receive {'DOWN', M, _, _, Why} -> p(Why) end,
    {P2, M2} = spawn_monitor(fun() -> dirty_sleep(200) end),
    timer:sleep(20),
    exit(P2, kill),
    receive {'DOWN', M2, _, _, Why2} -> p(lists:member(Why2, [killed, normal])) end,
    T = erlang:monotonic_time(millisecond),
    Ps = [spawn_monitor(fun() -> dirty_sleep(100) end) || _ <- lists:seq(1, 5)],
    [receive {'DOWN', N, _, _, normal} -> ok end || {_, N} <- Ps],
    p(erlang:monotonic_time(millisecond) - T < 450).

threads() ->
    p(thread_sends(self(), 200)),
    p([receive {thread, N, List, Bin} -> {N, length(List), byte_size(Bin)} after 5000 -> none end || N <- lists:seq(0, 199)] =:= [{N, N rem 20, 100} || N <- lists:seq(0, 199)]).

-define(READ, 1).
-define(WRITE, 2).
-define(STOP, 4).
-define(CANCEL, 8).

descriptors() ->
    T = make_thing(20, self()),
    1 = open_pipe(T),
    R = make_ref(),
    _ = select_bad(T),
    p(select_on(T, 0, ?READ, R)),
    p(quiet()),
    p(write_pipe(T)),
    p(case take() of {select, T, R, What} -> What end),
    p(read_pipe(T)),
    p(read_pipe(T)),
    p(select_on(T, 0, ?READ, undefined)),
    p(select_on(T, 0, ?READ bor ?CANCEL, undefined)),
    p(select_on(T, 0, ?READ bor ?CANCEL, undefined)),
    p(write_pipe(T)),
    p(quiet()),
    p(select_message(T, {my, [message], <<"here">>})),
    p(take()),
    p(select_on(T, 1, ?WRITE, R)),
    p(case take() of {select, T, R, Way} -> Way end),
    p(select_on(T, 0, ?STOP, undefined)),
    p(take(20)),
    p(element(1, look(T))).

%% New code takes over the resources of the old, whose library goes with it.
upgrades() ->
    T = make_thing(30, self()),
    {module, nif_things} = code:load_file(nif_things),
    p(try_(fun() -> ?MODULE:version() end)),
    p(version()),
    p(try_(fun() -> ?MODULE:load("./nif_things2", 5) end)),
    p({version(), ?MODULE:version()}),
    p(element(1, ?MODULE:look(T))),
    ?MODULE:module_info(nifs) =:= [] andalso p(wrong),
    p(load("./nif_things", 1)),
    Me = self(),
    spawn(fun() -> ?MODULE:make_thing(31, Me) end),
    p(take(31)),
    T.

%% In the new code: the old can be purged.
upgraded(T) ->
    p(code:soft_purge(nif_things)),
    p(take()),
    p(version()),
    p(element(1, look(T))),
    Me = self(),
    spawn(fun() -> p(element(1, look(T))), Me ! done end),
    p(take()),
    p(try_(fun() -> load("./nif_things", 3) end)).
