#!/usr/bin/env escript
%%! -noinput
%% Writes calls_packet.etf: calls of erlang:decode_packet/3, as calls_binary.escript does. Run with OTP 25:
%%   escript calls_packet.escript calls_packet.etf
-mode(compile).
main([File]) ->
    rand:seed(exsss, {3, 5, 7}),
    Rows = [{erlang, decode_packet, A, try {ok, apply(erlang, decode_packet, A)} catch error:R -> {error, R} end} || A <- calls()],
    ok = file:write_file(File, term_to_binary(Rows, [{compressed, 9}])).

uniform(N) -> rand:uniform(N).
one_of(L) -> lists:nth(uniform(length(L)), L).
bytes(N) -> << <<(uniform(256) - 1)>> || _ <- lists:seq(1, N) >>.
shifted(B) ->
    Skip = uniform(8) - 1,
    N = bit_size(B),
    <<_:Skip, C:N/bits, _/bits>> = <<0:Skip, B/bits, 0>>,
    C.
types() -> [raw, 0, 1, 2, 4, asn1, cdr, sunrm, fcgi, tpkt, line, http, httph, http_bin, httph_bin, ssl_tls].
options() -> one_of([[], [], [], [{packet_size, uniform(40)}], [{line_length, uniform(30)}], [{line_delimiter, $e}], [{packet_size, 30}, {line_length, 20}],
                     [{packet_size, -1}], [a], {a}, [{line_delimiter, 300}]]).

calls() ->
    [[T, shifted(D), options()] || T <- types(), D <- plain() ++ [mutate(D) || D <- plain()]] ++
    [[T, shifted(D), options()] || T <- [http, http_bin], D <- lines() ++ [mutate(D) || D <- lines(), _ <- [1, 2]]] ++
    [[T, shifted(D), options()] || T <- [httph, httph_bin], D <- headers() ++ [mutate(D) || D <- headers(), _ <- [1, 2]]] ++
    [[T, D, []] || T <- [foo, 3, -1, 4, []], D <- [<<>>, a, <<1:3>>, <<0, 0, 0, 1, 2, 7:3>>]].

mutate(B) when bit_size(B) < 8 -> B;
mutate(B) ->
    At = uniform(bit_size(B) div 8) - 1,
    <<X:At/binary, C, Y/bits>> = B,
    case uniform(4) of
        1 -> <<X/binary, Y/bits>>;
        2 -> <<X/binary, (one_of([$\n, $\r, $ , $:, $/, $A, 0, 200])), Y/bits>>;
        3 -> X;
        4 -> <<X/binary, C, C, Y/bits>>
    end.

plain() ->
    [<<>>, <<1>>, <<5, "hello", "rest">>, <<0, 5, "hello", "rest">>, <<0, 0, 0, 5, "hello", "rest">>, <<0, 0, 0, 5, "hel">>, <<16#80, 0, 0, 2, "abc">>,
     <<16#ff, 16#ff, 16#ff, 16#ff, 1>>, <<16#7f, 16#ff, 16#ff, 16#ff, 1>>, <<16#30, 3, "abcdef">>, <<16#30, 16#81, 3, "abcdef">>, <<16#30, 16#82, 0, 3, "abcdef">>,
     <<16#3f, 16#81, 1, 3, "abcdef">>, <<16#30, 16#85, 0, 0, 0, 0, 3, "abcdef">>, <<16#30, 16#84, 0, 0, 0, 3, "abcdef">>, <<16#30, 16#80, "abc">>, <<16#3f, 16#ff, 16#ff>>,
     <<"GIOP", 1, 0, 0, 0, 0, 0, 0, 3, "abcdef">>, <<"GIOP", 1, 0, 1, 0, 3, 0, 0, 0, "abcdef">>, <<"GIO">>, <<"XIOP", 0:100>>,
     <<1, 1, 0, 1, 0, 3, 2, 0, "abc", 0, 0, "rest">>, <<2, 1, 0, 1, 0, 3, 2, 0, "abc">>, <<1, 1, 0, 1, 0, 30, 2, 0, "abc">>,
     <<3, 0, 0, 7, "abcdef">>, <<3, 0, 0, 4, "abc">>, <<3, 0, 0, 2, "abc">>, <<4, 0, 0, 7, "abc">>, <<"one line\nand more">>, <<"no line">>, <<"\n">>, <<"a\r\nb">>,
     <<22, 3, 1, 0, 4, "abcdefgh">>, <<16#80, 10, 1, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>>, <<16#80, 1, 1, 3, 1, 0, 0>>, <<16#80, 4, 1, 3, 1, 9, 9, 9>>, <<22, 3, 1>>, <<7:3>>, <<1, 65, 7:5>>, bytes(20), bytes(40)].

lines() ->
    [<<"GET / HTTP/1.1\r\nHost: x\r\n">>, <<"GET /a/b?c=d HTTP/1.0\n">>, <<"POST http://example.com:8080/x HTTP/1.1\r\n">>, <<"PUT https://example.com HTTP/1.1\r\n">>,
     <<"OPTIONS * HTTP/1.1\r\n">>, <<"FOO bar HTTP/1.1\r\n">>, <<"CONNECT host:443 HTTP/1.1\r\n">>, <<"GET HTTP://u:x/ HTTP/1.1\r\n">>, <<"GET http://h:0/ HTTP/1.1\r\n">>,
     <<"GET /\r\n">>, <<"GET\r\n">>, <<"DELETE  /x   HTTP/12.34\r\n">>, <<"HTTP/1.1 200 OK\r\n">>, <<"HTTP/1.1 404 Not Found\r\nx">>, <<"HTTP/1.0 301\r\n">>, <<"HTTP/1.1 200 \r\n">>,
     <<"HTTP/x.1 200 OK\r\n">>, <<"HTTP/1.1200 OK\r\n">>, <<"GET / FTP/1.1\r\n">>, <<"GET / HTTP/1\r\n">>, <<"\r\n">>, <<"\n">>, <<"TRACE x\ty HTTP/1.1\r\n">>, <<"HEAD mailto:a@b HTTP/1.1\r\n">>, <<"G", 200, "T / HTTP/1.1\r\n">>].

headers() ->
    [<<"Host: example.com\r\nx">>, <<"content-length:  42\r\n\r\n">>, <<"X-OTHER-header: a, b\r\nz">>, <<"Accept: a,\r\n b,\r\n\tc\r\nNext: x\r\n">>, <<"Www-authenticate: Basic\nq">>,
     <<"\r\n">>, <<"\r\nabc">>, <<"\n">>, <<"No colon here\r\nx">>, <<": empty\r\nx">>, <<"Cookie:\r\nx">>, <<"Cookie:">>, <<"PROXY-CONNECTION: close\r\ny">>,
     <<(list_to_binary(lists:duplicate(50, $a)))/binary, ": x\r\ny">>, <<(list_to_binary(lists:duplicate(51, $b)))/binary, ": x\r\ny">>, <<"A-b-C: ", 200, 201, "\r\n.">>].
