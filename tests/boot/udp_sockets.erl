-module(udp_sockets).
-export([main/0]).

main() ->
    [begin io:format("~s: ", [N]), show(try F() catch C:R:St -> {C, R, hd(St)} end), flush() end || {N, F} <- cases()].
show(T) -> io:format("~0p~n", [clean(T)]).
clean(P) when is_port(P) -> port;
clean([H | T]) -> [clean(H) | clean(T)];
clean(T) when is_tuple(T) -> list_to_tuple(clean(tuple_to_list(T)));
clean(T) -> T.
flush() -> receive _ -> flush() after 0 -> ok end.
got() -> receive M -> M after 5000 -> nothing end.
soon() -> receive M -> M after 50 -> nothing end.

cases() ->
    [{passive, fun passive/0}, {active, fun active/0}, {counted, fun counted/0}, {header, fun header/0}, {cut, fun cut/0}, {connected, fun connected/0},
     {beside, fun beside/0}, {multicast, fun multicast/0}, {six, fun six/0}, {unix, fun unix/0}, {errors, fun errors/0}, {options, fun options/0},
     {raw, fun raw/0}, {many, fun many/0}, {machine, fun machine/0}, {services, fun services/0}].

pair() -> pair([], []).
pair(A, B) ->
    {ok, C} = gen_udp:open(0, [binary, {ip, {127,0,0,1}}, {active, false} | A]), {ok, S} = gen_udp:open(0, [binary, {ip, {127,0,0,1}}, {active, false} | B]),
    {ok, P} = inet:port(C), {ok, Q} = inet:port(S),
    {C, P, S, Q}.
passive() ->
    {C, P, S, Q} = pair(),
    ok = gen_udp:send(C, {127,0,0,1}, Q, ["one", <<" two">>]), ok = gen_udp:send(C, {127,0,0,1}, Q, ""),
    {ok, {A, P, D}} = gen_udp:recv(S, 0), {ok, {A, P, E}} = gen_udp:recv(S, 0),
    [A, D, E, gen_udp:recv(S, 0, 0), gen_udp:recv(S, 0, 20), gen_udp:close(S), gen_udp:recv(S, 0), gen_udp:close(C)].
active() ->
    {C, P, S, Q} = pair([], [list]),
    Send = fun(D) -> ok = gen_udp:send(C, "localhost", Q, D) end,
    ok = inet:setopts(S, [{active, true}]), Send("1"), {udp, S, A, P, D1} = got(),
    R = gen_udp:recv(S, 0),
    ok = inet:setopts(S, [{active, once}]), Send("2"), {udp, S, A, P, D2} = got(), Send("3"), M = soon(),
    ok = inet:setopts(S, [{active, once}, {mode, binary}]), {udp, S, A, P, D3} = got(),
    {A, D1, R, D2, M, D3}.
counted() ->
    {C, _, S, Q} = pair(),
    [ok = gen_udp:send(C, {127,0,0,1}, Q, [N]) || N <- "abc"],
    ok = inet:setopts(S, [{active, 2}]),
    {[element(5, got()), element(5, got())], got(), soon(), inet:getopts(S, [active])}.
header() ->
    {C, _, S, Q} = pair([], [{header, 2}]),
    [begin ok = gen_udp:send(C, {127,0,0,1}, Q, D), {ok, {_, _, R}} = gen_udp:recv(S, 0), R end || D <- ["a", "ab", "abc"]].
cut() ->
    {C, _, S, Q} = pair([], [{buffer, 10}]),
    ok = gen_udp:send(C, {127,0,0,1}, Q, binary:copy(<<"x">>, 100)), {ok, {_, _, D}} = gen_udp:recv(S, 0),
    {byte_size(D), gen_udp:send(C, {127,0,0,1}, Q, binary:copy(<<"x">>, 70000)), inet:setopts(S, [{recbuf, 20000}]), inet:getopts(S, [buffer])}.
connected() ->
    {C, P, S, Q} = pair(),
    R1 = [gen_udp:connect(C, {127,0,0,1}, Q), gen_udp:send(C, "plain"), gen_udp:recv(S, 0) =:= {ok, {{127,0,0,1}, P, <<"plain">>}}, inet:peername(C) =:= {ok, {{127,0,0,1}, Q}}],
    ok = gen_udp:send(S, {127,0,0,1}, P, "back"), {ok, {{127,0,0,1}, Q, B}} = gen_udp:recv(C, 0),
    gen_udp:close(S),
    ok = gen_udp:send(C, "nobody"), timer:sleep(20),
    [R1, B, gen_udp:recv(C, 0, 1000), gen_udp:send(S, "x"), inet:peername(C) =:= {ok, {{127,0,0,1}, Q}}].
beside() ->
    {C, P, S, Q} = pair([], [{recvtos, true}, {recvttl, true}]),
    ok = gen_udp:send(C, {{127,0,0,1}, Q}, [{tos, 96}, {ttl, 5}], "x"),
    {ok, {_, P, Extra, D}} = gen_udp:recv(S, 0),
    ok = inet:setopts(S, [{active, once}]), ok = gen_udp:send(C, {127,0,0,1}, Q, "y"),
    M = got(),
    {lists:sort(Extra), D, tuple_size(M), lists:keyfind(tos, 1, element(5, M)), gen_udp:send(C, {{127,0,0,1}, Q}, [{priority, 1}], "x"), inet:getopts(S, [recvtos, recvttl, recvtclass])}.
multicast() ->
    Group = {239,1,2,3},
    {ok, S} = gen_udp:open(0, [binary, {active, false}, {ip, Group}, {multicast_if, {127,0,0,1}}, {multicast_loop, true}, {multicast_ttl, 0}, {add_membership, {Group, {127,0,0,1}}}]),
    {ok, P} = inet:port(S),
    ok = gen_udp:send(S, Group, P, "to all"),
    {ok, {_, P, D}} = gen_udp:recv(S, 0, 5000),
    {D, inet:getopts(S, [multicast_ttl, multicast_loop]), inet:setopts(S, [{drop_membership, {Group, {127,0,0,1}}}]), inet:setopts(S, [{broadcast, true}]), inet:getopts(S, [broadcast])}.
six() ->
    One = {0,0,0,0,0,0,0,1},
    {ok, S} = gen_udp:open(0, [inet6, binary, {ip, One}, {recvtclass, true}, {tclass, 32}]), {ok, P} = inet:port(S),
    ok = gen_udp:send(S, One, P, "six"),
    {udp, S, IP, P, X, D} = got(),
    {IP, X, D, gen_udp:close(S)}.
unix() ->
    A = "datagrams_" ++ os:getpid(), B = A ++ "_b",
    {ok, S} = gen_udp:open(0, [binary, {ifaddr, {local, A}}]), {ok, C} = gen_udp:open(0, [{ifaddr, {local, B}}, {active, false}]),
    {ok, D} = gen_udp:open(0, [local]),
    ok = gen_udp:send(C, {local, A}, 0, "there"), {udp, S, {local, F}, 0, X} = got(),
    ok = gen_udp:send(S, {local, F}, 0, "back"), {ok, {{local, _}, 0, Y}} = gen_udp:recv(C, 0),
    ok = gen_udp:send(D, {local, A}, 0, "from nowhere"), {udp, S, From, 0, Z} = got(),
    R = {F =:= list_to_binary(B), X, Y, From, Z, gen_udp:send(D, {local, "missing"}, 0, "x")},
    file:delete(A), file:delete(B),
    R.
errors() ->
    {ok, S} = gen_udp:open(0, [{ip, {127,0,0,1}}]), {ok, P} = inet:port(S),
    [gen_udp:open(P, [{ip, {127,0,0,1}}]), catch gen_udp:open(0, [nonsense]), gen_udp:open(0, [{ip, {1,2,3,4}}]), catch gen_udp:send(S, {127,0,0,1}, 70000, "x"),
     gen_udp:send(S, {0,0,0,0,0,0,0,1}, P, "x")].
options() ->
    {ok, S} = gen_udp:open(0, [{ip, {127,0,0,1}}, {reuseaddr, true}, {read_packets, 7}]),
    Names = [active, buffer, mode, header, packet, packet_size, deliver, read_packets, high_watermark, send_timeout, reuseaddr, broadcast, dontroute,
             linger, keepalive, priority, tos, multicast_ttl, multicast_loop, exit_on_close, high_msgq_watermark, low_msgq_watermark, show_econnreset, delay_send, bind_to_device],
    {ok, L} = gen_tcp:listen(0, [{linger, {true, 3}}, {nodelay, true}, {keepalive, true}, {tos, 32}, {send_timeout_close, true}, {low_watermark, 10000}]),
    R = [[inet:getopts(X, [N]) || N <- Names ++ [low_watermark, nodelay, nopush, send_timeout_close]] || X <- [S, L]],
    [R, inet:getopts(L, []), inet:getopts(L, [nonsense]), inet:setopts(L, [{priority, 3}, {tos, 64}]), inet:getopts(L, [tos, priority]), inet:setopts(S, [{active, maybe_}]),
     inet:setopts(S, [{read_packets, 0}]), inet:setopts(S, [{high_msgq_watermark, 0}]), inet:setopts(L, [{nonsense, 1}]), inet:setopts(S, [{tclass, 1}])].
raw() ->
    {ok, L} = gen_tcp:listen(0, []),
    [inet:setopts(L, [{raw, 1, 9, <<1:32/native>>}]), inet:getopts(L, [{raw, 1, 9, 4}]), inet:getopts(L, [keepalive]), inet:getopts(L, [{raw, 1, 13, <<0:64>>}]),
     inet:getopts(L, [{raw, 1, 9, 4}, active, {raw, 1, 2, 4}]), inet:setopts(L, [{raw, 99, 99, <<1>>}]), inet:getopts(L, [{raw, 99, 99, 4}, mode])].
many() ->
    {C, _, S, Q} = pair([], [{recbuf, 200000}, {active, true}]),
    [ok = gen_udp:send(C, {127,0,0,1}, Q, [N]) || N <- lists:seq(1, 100)],
    [begin {udp, S, _, _, <<N>>} = got(), N end || _ <- lists:seq(1, 100)] =:= lists:seq(1, 100).
machine() ->
    {ok, Name} = inet:gethostname(), {ok, Ifs} = inet:getiflist(), {ok, All} = inet:getifaddrs(),
    [length(Name) > 0, Name =:= string:trim(hd(string:split(os:cmd("hostname"), "."))), inet:getaddr("localhost", inet), inet:getaddr({127,0,0,1}, inet), lists:sort(Ifs),
     proplists:get_value("lo", All), inet:ifget("lo", [addr, netmask, flags, mtu, hwaddr, broadaddr]), inet:ifget("no such", [addr]), [lists:keydelete(hwaddr, 1, O) || {"eth0", O} <- All]].
services() ->
    [inet:getservbyname(ssh, tcp), inet:getservbyname("domain", udp), inet:getservbyname(no_such, tcp), element(1, inet:getservbyname(ssh, no_such))].
