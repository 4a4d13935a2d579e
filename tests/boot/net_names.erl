%% What module net finds without asking other machines.
-module(net_names).
-export([main/0]).

main() ->
    Loopback = #{family => inet, addr => loopback, port => 53},
    Asked =
        [{getaddrinfo, A} || A <- [["localhost"], [[$x | $y]], [[a]], ["127.0.0.1", "http"], ["::1"], ["fe80::1%1", "80"], [undefined, "domain"], ["127.0.0.1", "nosuchservice"],
                                   [[300]], [""], [[0]], ["127.0.0.1" ++ [0] ++ "x"], [undefined, undefined], [x]]] ++
        [{getnameinfo, [A]} || A <- [#{family => inet, addr => {127, 0, 0, 1}, port => 80}, #{family => inet6, addr => {0, 0, 0, 0, 0, 0, 0, 1}, port => 22},
                                     #{family => local, path => "/tmp/x"}, #{family => unspec, addr => <<>>}, #{family => 1, addr => <<"ab">>},
                                     #{family => 2, addr => <<0, 80, 127, 0, 0, 1, 0:64>>}, #{family => 2, addr => <<0, 80>>}, #{family => 77, addr => <<0, 80>>},
                                     #{family => inet, addr => {127, 0, 0, 1}}, #{family => foo}, #{family => inet, addr => {1, 2, 3}}, #{}, foo,
                                     #{family => inet, addr => {127, 0, 0, 1}, port => 70000}, #{family => inet, addr => {127, 0, 0, 256}},
                                     #{family => packet, addr => <<1>>}, #{family => local, path => binary:copy(<<"a">>, 200)},
                                     #{family => 2, addr => binary:copy(<<"a">>, 200)}]] ++
        [{getnameinfo, [Loopback, F]} || F <- [[numerichost, numericserv], [dgram, nofqdn], [idn], [foo], foo, [numerichost | foo], undefined]] ++
        [{getnameinfo, [A, [numerichost]]} ||
            A <- [#{family => inet, addr => {203, 0, 113, 7}, port => 9999}, #{family => inet6, addr => {65152, 0, 0, 0, 0, 0, 0, 1}, port => 1, scope_id => 1, flowinfo => 5},
                  #{family => inet}, #{family => inet, port => x}, #{family => inet, addr => broadcast}, #{family => inet6, addr => loopback},
                  #{family => inet6, addr => any}, #{family => inet6, addr => broadcast}, #{family => inet, port => -1}, #{family => local, path => <<"abc">>}]] ++
        [{getifaddrs, A} || A <- [[], [inet], [inet6], [packet], [all], [x]]] ++
        [{getservbyname, [N, P]} || {N, P} <- [{"http", tcp}, {"http", any}, {"domain", udp}, {"nosuch", tcp}, {"http", foo}, {http, tcp}]] ++
        [{getservbyport, [N, P]} || {N, P} <- [{80, tcp}, {80, any}, {53, udp}, {54321, tcp}, {80, foo}, {x, tcp}, {-1, tcp}, {70000, tcp}]],
    [show(F, A) || {F, A} <- Asked].

show(F, A) ->
    Result = try apply(net, F, A) catch Class:Reason -> {Class, Reason} end,
    io:format("~w ~w: ~p~n", [F, plain(A), plain(Result)]).

%% Small maps print in another order since OTP 26.
plain(M) when is_map(M) -> {map, lists:sort([{K, plain(V)} || {K, V} <- maps:to_list(M)])};
plain([H | T]) -> [plain(H) | plain(T)];
plain(T) when is_tuple(T) -> list_to_tuple(plain(tuple_to_list(T)));
plain(T) -> T.
