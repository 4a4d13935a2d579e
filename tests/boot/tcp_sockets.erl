-module(tcp_sockets).
-export([main/0]).

main() ->
    process_flag(trap_exit, true),
    [begin io:format("~s: ", [N]), show(try F() catch C:R:St -> {C, R, hd(St)} end), flush() end || {N, F} <- cases()].

show(T) -> io:format("~0p~n", [clean(T)]).
%% Identifiers differ from run to run.
clean(P) when is_port(P) -> port;
clean(P) when is_pid(P) -> pid;
clean(R) when is_reference(R) -> ref;
clean([H | T]) -> [clean(H) | clean(T)];
clean(T) when is_tuple(T) -> list_to_tuple(clean(tuple_to_list(T)));
clean(T) -> T.
flush() -> receive _ -> flush() after 0 -> ok end.

pair() -> pair([binary], [binary]).
pair(A, B) ->
    {ok, L} = gen_tcp:listen(0, [{ip, {127,0,0,1}}, {active, false} | B]),
    {ok, P} = inet:port(L),
    {ok, C} = gen_tcp:connect({127,0,0,1}, P, [{active, false} | A]),
    {ok, S} = gen_tcp:accept(L, 5000),
    gen_tcp:close(L),
    {C, S}.
got() -> receive M -> M after 5000 -> nothing end.
soon() -> receive M -> M after 50 -> nothing end.

cases() ->
    [{passive, fun passive/0}, {lists, fun in_lists/0}, {closed, fun closed/0}, {packets, fun packets/0}, {sent_packets, fun sent_packets/0},
     {active, fun active/0}, {counted, fun counted/0}, {header, fun header/0}, {sizes, fun sizes/0}, {lines, fun lines/0}, {large, fun large/0},
     {send_timeout, fun send_timeout/0}, {busy, fun busy/0}, {delayed, fun delayed/0}, {acceptors, fun acceptors/0}, {pending, fun pending/0},
     {half, fun half/0}, {reset, fun reset/0}, {owner, fun owner/0}, {errors, fun errors/0}, {raw_port, fun raw_port/0}, {unix, fun unix/0},
     {six, fun six/0}, {names, fun names/0}, {statistics, fun statistics/0}, {given, fun given/0}, {sent_file, fun sent_file/0},
     {pushed_back, fun pushed_back/0}, {asynchronous, fun asynchronous/0}, {hostile, fun hostile/0}].

passive() ->
    {C, S} = pair(),
    ok = gen_tcp:send(C, ["ab", <<"cd">>, $e]),
    R1 = [gen_tcp:recv(S, 2), gen_tcp:recv(S, 3), gen_tcp:recv(S, 0, 0), gen_tcp:recv(S, 1, 20)],
    ok = gen_tcp:send(C, "12"),
    R2 = [gen_tcp:recv(S, 3, 20), gen_tcp:send(C, "3"), gen_tcp:recv(S, 3, 2000)],
    P = spawn(fun() -> gen_tcp:recv(S, 0) end), timer:sleep(30),
    R3 = gen_tcp:recv(S, 0),
    exit(P, kill),
    [R1, R2, R3, gen_tcp:recv(C, 16#7ffffff)].
in_lists() ->
    {C, S} = pair([list], [list]),
    ok = gen_tcp:send(C, "hello"),
    [gen_tcp:recv(S, 0), gen_tcp:send(S, <<"back">>), gen_tcp:recv(C, 4)].
closed() ->
    {C, S} = pair(),
    ok = gen_tcp:send(C, "rest"), ok = gen_tcp:close(C),
    R = [gen_tcp:recv(S, 0), gen_tcp:recv(S, 0), gen_tcp:send(S, "x"), gen_tcp:send(S, "x"), gen_tcp:close(S)],
    [R, gen_tcp:send(S, "x"), gen_tcp:recv(S, 0), gen_tcp:close(S), inet:getopts(S, [active]), inet:setopts(S, [{active, true}])].

%% Each kind of packet, two of them, cut in two at every place.
packets() ->
    [begin All = all_at_once(T, B), {T, All, lists:usort(in_two(T, B, length(All)))} end || {T, B} <- streams()].
streams() ->
    [{1, <<3, "abc", 0, 1, "x">>}, {2, <<3:16, "abc", 0:16, 1:16, "x">>}, {4, <<3:32, "abc", 1:32, "x">>},
     {line, <<"one\r\ntwo\nthr\n">>}, {asn1, <<16#30, 3, "abc", 16#30, 16#81, 2, "xy">>}, {sunrm, <<16#80000003:32, "abc", 1:32, "x">>},
     {cdr, <<"GIOP", 1, 2, 0, 0, 3:32, "abc", "GIOP", 1, 2, 1, 0, 1:32/little, "x">>},
     {fcgi, <<1, 1, 0:16, 3:16, 2, 0, "abc", 0, 0, 1, 1, 0:16, 1:16, 0, 0, "x">>}, {tpkt, <<3, 0, 7:16, "abc", 3, 0, 5:16, "x">>},
     {ssl_tls, <<22, 3, 1, 3:16, "abc", 23, 3, 3, 1:16, "x">>},
     {http, <<"GET /a?b HTTP/1.1\r\nHost: x\r\nFoo-bar: y\r\n z\r\n\r\nHTTP/1.0 200 OK\r\n\r\n">>},
     {http_bin, <<"POST http://h:80/p HTTP/1.0\r\nContent-Length: 3\r\n\r\nnonsense\r\n">>},
     {httph, <<"Host: x\r\nFoo: y\r\n\r\n">>}, {httph_bin, <<"Host: x\r\nFoo: y\r\n\r\n">>}].
in_two(T, B, Count) ->
    {C, S} = pair([binary, {nodelay, true}], [binary]),
    ok = inet:setopts(S, [{packet, T}]),
    R = [begin
             <<X:N/binary, Y/binary>> = B,
             ok = gen_tcp:send(C, X), {ok, Ref} = prim_inet:async_recv(S, 0, 5000), ok = gen_tcp:send(C, Y),
             [receive {inet_async, S, Ref, First} -> First end | [gen_tcp:recv(S, 0, 5000) || _ <- lists:seq(2, Count)]]
         end || N <- lists:seq(1, byte_size(B) - 1)],
    gen_tcp:close(C), gen_tcp:close(S),
    R.
receive_all(S, Rs) ->
    case gen_tcp:recv(S, 0, 5000) of
        {ok, X} -> receive_all(S, [X | Rs]);
        {error, E} -> lists:reverse([E | Rs])
    end.
all_at_once(T, B) ->
    {C, S} = pair([binary], [binary, {packet, T}]),
    ok = gen_tcp:send(C, B), gen_tcp:close(C),
    inet:setopts(S, [{active, true}]),
    R = messages(S, []),
    gen_tcp:close(S),
    R.
messages(S, Ms) ->
    case got() of
        {tcp_closed, S} -> lists:reverse(Ms);
        nothing -> lists:reverse([nothing | Ms]);
        M -> messages(S, [M | Ms])
    end.
sent_packets() ->
    [begin
         {C, S} = pair([binary, {packet, T}], [binary]),
         ok = gen_tcp:send(C, "abc"), ok = gen_tcp:send(C, ""), gen_tcp:close(C),
         R = receive_all(S, []), gen_tcp:close(S), {T, iolist_to_binary(lists:droplast(R))}
     end || T <- [raw, 0, 1, 2, 4, line, asn1, http]].

active() ->
    {C, S} = pair(),
    ok = inet:setopts(S, [{active, true}]), ok = gen_tcp:send(C, "one"),
    M1 = got(),
    R1 = gen_tcp:recv(S, 0),
    ok = inet:setopts(S, [{active, once}]), ok = gen_tcp:send(C, "two"),
    M2 = got(), ok = gen_tcp:send(C, "three"),
    M3 = soon(), {ok, [{active, A}]} = inet:getopts(S, [active]),
    ok = inet:setopts(S, [{active, once}]), M4 = got(),
    ok = inet:setopts(S, [{active, once}]), gen_tcp:close(C), M5 = got(), M6 = soon(),
    {M1, R1, M2, M3, A, M4, M5, M6, erlang:port_info(S)}.
counted() ->
    {C, S} = pair([binary, {packet, 1}], [binary, {packet, 1}]),
    [ok = gen_tcp:send(C, [N]) || N <- "abcdef"],
    ok = inet:setopts(S, [{active, 2}]),
    Ms = [got(), got(), got(), soon()],
    {ok, X} = gen_tcp:recv(S, 0),
    ok = inet:setopts(S, [{active, 30000}]),
    E = inet:setopts(S, [{active, 30000}]),
    ok = inet:setopts(S, [{active, -30000}]),
    N = [got(), got(), got(), got()],
    {Ms, X, E, inet:getopts(S, [active]), N, inet:setopts(S, [{active, 32768}])}.
header() ->
    {C, S} = pair([binary], [binary, {packet, 2}, {header, 2}]),
    ok = inet:setopts(C, [{packet, 2}]),
    [ok = gen_tcp:send(C, X) || X <- ["a", "ab", "abcd"]],
    [gen_tcp:recv(S, 0), gen_tcp:recv(S, 0), gen_tcp:recv(S, 0)].
sizes() ->
    [begin
         {C, S} = pair([binary], [binary, {packet, T}, {packet_size, 10}]),
         ok = gen_tcp:send(C, B),
         R = [gen_tcp:recv(S, 0), gen_tcp:recv(S, 0, 100)],
         inet:setopts(S, [{active, true}]),
         {T, R, soon()}
     end || {T, B} <- [{1, <<11, "12345678901">>}, {2, <<10:16, "1234567890", 11:16, "12345678901">>}, {4, <<16#7fffffff:32, "x">>},
                       {line, <<"123456789\n1234567890\n">>}, {http, <<"GET / HTTP/1.1\r\n">>}]].
lines() ->
    {C, S} = pair([binary], [binary, {packet, line}, {buffer, 5}]),
    ok = gen_tcp:send(C, "ab\nabcdefghijk\nxy\n"), gen_tcp:close(C),
    {D, E} = pair([binary], [binary, {packet, line}]),
    ok = inet:setopts(E, [{line_delimiter, $;}]),
    ok = gen_tcp:send(D, "a;b\n;c"), gen_tcp:close(D),
    {receive_all(S, []), receive_all(E, [])}.
large() ->
    {C, S} = pair([binary, {packet, 4}], [binary, {packet, 4}]),
    Data = binary:copy(<<"0123456789abcdef">>, 100000),
    spawn_link(fun() -> [ok = gen_tcp:send(C, Data) || _ <- lists:seq(1, 3)] end),
    [begin {ok, B} = gen_tcp:recv(S, 0), B =:= Data end || _ <- "abc"].

fill(S, Data) ->
    case gen_tcp:send(S, Data) of ok -> fill(S, Data); E -> E end.
send_timeout() ->
    Data = binary:copy(<<"x">>, 1 bsl 20),
    {C, S} = pair([binary, {send_timeout, 50}], [binary]),
    {D, _} = pair([binary, {send_timeout, 50}, {send_timeout_close, true}], [binary]),
    {E, T} = pair([binary, {send_timeout, 0}], [binary]),
    R = [fill(C, Data), fill(C, Data), fill(D, Data), gen_tcp:send(D, "x"), fill(E, Data)],
    gen_tcp:close(T), gen_tcp:close(S),
    R.
busy() ->
    Data = binary:copy(<<"x">>, 1 bsl 20),
    {C, S} = pair([binary, {high_watermark, 1000}, {low_watermark, 500}], [binary]),
    Me = self(),
    P = spawn_link(fun() -> R = [gen_tcp:send(C, Data) || _ <- lists:seq(1, 40)], Me ! {self(), R} end),
    wait_busy(C),
    Port = prim_inet:send(C, "no", [nosuspend]),
    Q = spawn_link(fun() -> Me ! {self(), gen_tcp:send(C, "after")} end),
    M = soon(),
    N = drain(S, 40 * byte_size(Data) + 5),
    {Port, M, N, receive {P, R} -> lists:usort(R) end, receive {Q, X} -> X end, inet:getstat(C, [send_pend])}.
wait_busy(C) ->
    case prim_inet:getstatus(C) of
        {ok, L} -> lists:member(busy, L) orelse begin timer:sleep(5), wait_busy(C) end
    end.
drain(_, 0) -> all;
drain(S, N) -> case gen_tcp:recv(S, 0, 5000) of {ok, B} -> drain(S, N - byte_size(B)); E -> {N, E} end.
delayed() ->
    {C, S} = pair([binary, {delay_send, true}], [binary]),
    [ok = gen_tcp:send(C, "ab"), ok = gen_tcp:send(C, "cd"), gen_tcp:recv(S, 4), gen_tcp:close(C), gen_tcp:recv(S, 0)].

acceptors() ->
    {ok, L} = gen_tcp:listen(0, [binary, {ip, {127,0,0,1}}, {active, false}]),
    {ok, P} = inet:port(L),
    Me = self(),
    A = [begin
             Pid = spawn(fun() -> Me ! {self(), begin {ok, S} = gen_tcp:accept(L, 5000), gen_tcp:send(S, [N]), N end}, receive stop -> ok end end),
             wait_for(L, [accepting]), timer:sleep(10), Pid
         end || N <- "abcd"],
    exit(lists:nth(2, A), kill),
    R = [begin {ok, C} = gen_tcp:connect({127,0,0,1}, P, [binary, {active, false}]), gen_tcp:recv(C, 1, 5000) end || _ <- "acd"],
    Late = gen_tcp:accept(L, 20), Now = gen_tcp:accept(L, 0),
    T = spawn_link(fun() -> Me ! {self(), gen_tcp:accept(L)} end),
    timer:sleep(30), gen_tcp:close(L),
    {R, Late, Now, receive {T, X} -> X end, gen_tcp:accept(L)}.
wait_for(L, What) ->
    {ok, Is} = prim_inet:getstatus(L),
    What -- Is =:= [] orelse begin timer:sleep(2), wait_for(L, What) end.
pending() ->
    {C, S} = pair(),
    Data = binary:copy(<<"y">>, 3 bsl 20),
    Me = self(),
    spawn_link(fun() -> timer:sleep(50), Me ! {drained, drain(S, byte_size(Data))} end),
    ok = gen_tcp:send(C, Data), ok = gen_tcp:close(C),
    receive {drained, R} -> R end.
half() ->
    {C, S} = pair([binary, {exit_on_close, false}], [binary, {exit_on_close, false}]),
    ok = gen_tcp:send(C, "request"), ok = gen_tcp:shutdown(C, write),
    R = [gen_tcp:recv(S, 0), gen_tcp:recv(S, 0), gen_tcp:send(S, "answer"), gen_tcp:recv(C, 0), gen_tcp:send(C, "more"),
         gen_tcp:shutdown(S, read_write), gen_tcp:shutdown(S, read)],
    {D, E} = pair([binary, {exit_on_close, false}], [binary]),
    ok = inet:setopts(D, [{active, true}]),
    gen_tcp:close(E),
    {R, got(), soon(), erlang:port_info(D, name), gen_tcp:close(D)}.
reset() ->
    [begin
         {C, S} = pair([binary, {linger, {true, 0}}], [binary, {show_econnreset, Show}]),
         ok = inet:setopts(S, [{active, Active}]),
         ok = gen_tcp:close(C), timer:sleep(20),
         case Active of
             true -> {Show, got(), soon(), soon()};
             false -> {Show, gen_tcp:send(S, "x"), gen_tcp:recv(S, 0), gen_tcp:recv(S, 0)}
         end
     end || Show <- [true, false], Active <- [true, false]].
owner() ->
    {C, S} = pair(),
    Me = self(),
    P = spawn(fun() -> Me ! {self(), got()}, receive stop -> ok end end),
    R1 = [gen_tcp:controlling_process(C, P), gen_tcp:controlling_process(C, P), erlang:port_info(C, connected) =:= {connected, P}],
    ok = inet:setopts(C, [{active, once}]), ok = gen_tcp:send(S, "for you"),
    M = receive {P, X} -> X end,
    Ref = monitor(port, C),
    P ! stop,
    D = receive {'DOWN', Ref, port, C, Why} -> Why after 5000 -> alive end,
    Down = gen_tcp:recv(S, 0, 5000),
    Mon = monitor(port, S), link(S), exit(S, bye),
    {R1, M, D, Down, receive {'DOWN', Mon, port, S, W2} -> W2 end, got()}.
errors() ->
    {ok, L} = gen_tcp:listen(0, [{ip, {127,0,0,1}}]), {ok, P} = inet:port(L),
    R = gen_tcp:listen(P, [{ip, {127,0,0,1}}]),
    gen_tcp:close(L),
    [R, gen_tcp:connect({127,0,0,1}, P, []), gen_tcp:connect({127,0,0,1}, P, [], 1000), catch
     gen_tcp:connect({127,0,0,1}, P, [{ip, {1,2,3,4}}]), catch gen_tcp:connect({127,0,0,1}, P, [nonsense]), catch gen_tcp:listen(0, [{active, maybe_}]),
     catch gen_tcp:listen(0, [{ip, {1,2,3,4}}]), catch gen_tcp:listen(-1, [])].
raw_port() ->
    S = open_port({spawn_driver, "tcp_inet"}, [binary]),
    Status = fun() -> erlang:port_control(S, 16#03f1a300 + 16, []) end,
    More = [0 || list_to_integer(erlang:system_info(otp_release)) >= 28], % a protocol, since then
    R = [Status(), erlang:port_control(S, 16#03f1a300 + 1, [1, 1 | More]), Status(), erlang:port_control(S, 16#03f1a300 + 1, [1, 1 | More]),
         erlang:port_control(S, 16#03f1a300 + 1, [9, 1 | More]), erlang:port_control(S, 16#03f1a300 + 27, [0, 5]), Status(),
         erlang:port_control(S, 16#03f1a300 + 15, []), erlang:port_control(S, 16#03f1a300 + 12, [1]), erlang:port_info(S, name),
         erlang:port_control(S, 16#03f1a300 + 42, [0,0,0,0,0,0,0,0]), erlang:port_control(S, 16#03f1a300 + 99, []),
         erlang:port_control(S, 16#03f1a300 + 24, [1]), erlang:port_control(S, 16#03f1a300 + 2, []), Status()],
    port_close(S),
    R.
unix() ->
    Name = "socket_" ++ os:getpid(),
    [begin
         {ok, L} = gen_tcp:listen(0, [binary, {ifaddr, {local, A}}, {active, false}]),
         {ok, C} = gen_tcp:connect({local, A}, 0, [binary, {active, false}]),
         {ok, S} = gen_tcp:accept(L),
         ok = gen_tcp:send(C, "local"),
         {ok, {local, Own}} = inet:sockname(L), {ok, {local, Peer}} = inet:peername(C),
         R = [gen_tcp:recv(S, 0), iolist_to_binary(A) =:= Own, Own =:= Peer, inet:sockname(C), inet:peername(S)],
         [gen_tcp:close(X) || X <- [L, C, S]],
         file:delete(A),
         R
     end || A <- [Name, <<0, "abstract", (list_to_binary(Name))/binary>>]] ++ [gen_tcp:connect({local, "missing"}, 0, [])].
six() ->
    {ok, L} = gen_tcp:listen(0, [inet6, binary, {active, false}, {ip, {0,0,0,0,0,0,0,1}}, {ipv6_v6only, true}]),
    {ok, {IP, P}} = inet:sockname(L),
    {ok, C} = gen_tcp:connect({0,0,0,0,0,0,0,1}, P, [inet6, binary, {active, false}]),
    {ok, S} = gen_tcp:accept(L),
    {ok, {_, P}} = inet:peername(C), {ok, {Q, _}} = inet:peername(S),
    ok = gen_tcp:send(C, "six"),
    {IP, Q, gen_tcp:recv(S, 3), inet:getopts(L, [ipv6_v6only]), prim_inet:gettype(L)}.
names() ->
    {C, S} = pair(),
    {ok, {A, P}} = inet:sockname(S), {ok, {A, P}} = inet:peername(C),
    [A, inet:setpeername(C, {{1,2,3,4}, 5}), inet:peername(C), inet:setpeername(C, undefined), inet:peername(C) =:= {ok, {A, P}},
     inet:setsockname(C, {{0,1,2,3,4,5,6,7}, 8}), inet:sockname(C), prim_inet:getstatus(C), element(1, inet:getfd(C)), inet:socknames(S) =:= {ok, [{A, P}]}].
statistics() ->
    {C, S} = pair([binary, {packet, 2}], [binary, {packet, 2}]),
    [ok = gen_tcp:send(C, binary:copy(<<"x">>, N)) || N <- [1, 10, 100]],
    [gen_tcp:recv(S, 0) || _ <- "abc"],
    [lists:sort(element(2, inet:getstat(X))) || X <- [C, S]].
given() ->
    {C, S} = pair(),
    {ok, Fd} = prim_inet:getfd(C),
    {ok, D} = gen_tcp:fdopen(Fd, [binary, {active, false}]),
    [gen_tcp:send(D, "by another port"), gen_tcp:recv(S, 0), gen_tcp:close(D), gen_tcp:send(C, "still open"), gen_tcp:recv(S, 0)].
sent_file() ->
    Data = binary:copy(<<"file">>, 200000),
    ok = file:write_file("sent", Data),
    {C, S} = pair([binary, {packet, 0}], [binary]),
    Me = self(),
    P = spawn_link(fun() -> receive go -> ok end, R = [file:sendfile("sent", C)], {ok, F} = file:open("sent", [read, raw, binary]),
                        Me ! {sent, R ++ [file:sendfile(F, C, 4, 8, []), file:sendfile(F, C, 800000, 0, []), file:close(F)]} end),
    ok = gen_tcp:controlling_process(C, P), P ! go,
    R = gen_tcp:recv(S, byte_size(Data), 5000) =:= {ok, Data},
    {R, gen_tcp:recv(S, 8, 5000), receive {sent, X} -> X after 5000 -> nothing end}.
pushed_back() ->
    {C, S} = pair(),
    ok = gen_tcp:send(C, "xyz"),
    [gen_tcp:recv(S, 3), gen_tcp:unrecv(S, "yz"), gen_tcp:unrecv(S, <<"x">>), gen_tcp:recv(S, 2), gen_tcp:recv(S, 0)].
asynchronous() ->
    {C, S} = pair(),
    {ok, R1} = prim_inet:async_recv(S, 4, 20), M1 = got(),
    {ok, R2} = prim_inet:async_recv(S, 4, -1), E = prim_inet:async_recv(S, 4, -1), M0 = soon(),
    ok = gen_tcp:send(C, "abcd"), M2 = got(),
    {R2 - R1, M1, E, M0, setelement(3, M2, ref)}.
%% Requests that prim_inet never makes: answered with errors, or not understood, and nothing else happens. (Only here: OTP's driver trusts them.)
hostile() ->
    case string:find(erlang:system_info(system_version), "[mote]") of
        nomatch -> ok;
        _ -> [hostile(Kind, N) || Kind <- ["tcp_inet", "udp_inet"], N <- lists:seq(1, 20)], ok
    end.
hostile(Kind, Seed) ->
    rand:seed(exsss, Seed),
    S = open_port({spawn_driver, Kind}, [binary]),
    Ask = fun(R, B) -> catch erlang:port_control(S, 16#03f1a300 + R, B) end,
    Ask(1, [1, if Kind =:= "tcp_inet" -> 1; true -> 2 end]),
    Changing = [13, 23, 45], % other descriptors, interfaces
    [Ask(R, rand:bytes(rand:uniform(30) - 1)) || _ <- lists:seq(1, 50), R <- lists:seq(0, 61) -- Changing],
    [Ask(7, [rand:uniform(60) - 1 | rand:bytes(rand:uniform(40))]) || _ <- lists:seq(1, 300)],
    [Ask(8, [[rand:uniform(60) - 1 | rand:bytes(rand:uniform(20))]]) || _ <- lists:seq(1, 300)],
    [catch port_command(S, rand:bytes(rand:uniform(30))) || _ <- lists:seq(1, 100)],
    catch port_close(S),
    flush().
