%% OTP's own crypto library, and connections of ssl over it.
-module(crypto_and_tls).
-export([main/0]).

p(X) -> io:format("~p~n", [X]).

main() ->
    p(is_list(crypto:info_lib())),
    hashes(),
    ciphers(),
    keys(),
    errors(),
    p(crypto:supports()),
    p(lists:sort(crypto:module_info(nifs)) =:= lists:sort([F || F <- crypto:module_info(nifs), lists:member(F, crypto:module_info(functions))])),
    application:ensure_all_started(ssl),
    [connection(V) || V <- ['tlsv1.2', 'tlsv1.3']].

hashes() ->
    p([{H, erlang:md5(crypto:hash(H, "abc"))} || H <- [md5, sha, sha224, sha256, sha384, sha512, sha3_256, blake2b]]),
    p(crypto:hash(sha256, binary:copy(<<"x">>, 300000))),
    p(crypto:hash(sha, [<<"a">>, [$b, "cd"] | <<"ef">>])),
    S = lists:foldl(fun(N, S) -> crypto:hash_update(S, binary:copy(<<N>>, 1000 * N)) end, crypto:hash_init(sha256), lists:seq(1, 40)),
    p(crypto:hash_final(S)),
    p(crypto:mac(hmac, sha256, <<"key">>, lists:duplicate(100, <<"abc">>))),
    p(crypto:mac(cmac, aes_128_cbc, <<0:128>>, <<"text">>)),
    p(crypto:mac(poly1305, <<1:256>>, <<"text">>)),
    p(crypto:pbkdf2_hmac(sha256, <<"pw">>, <<"salt">>, 1000, 32)),
    p(byte_size(crypto:strong_rand_bytes(1000))),
    p(crypto:strong_rand_bytes(16) =:= crypto:strong_rand_bytes(16)).

ciphers() ->
    K = <<0:256>>, IV = <<0:96>>,
    {C, T} = crypto:crypto_one_time_aead(aes_256_gcm, K, IV, <<"hello">>, <<"aad">>, true),
    p({C, T, crypto:crypto_one_time_aead(aes_256_gcm, K, IV, C, <<"aad">>, T, false), crypto:crypto_one_time_aead(aes_256_gcm, K, IV, C, <<"aax">>, T, false)}),
    p(crypto:crypto_one_time_aead(chacha20_poly1305, K, IV, <<"hello">>, <<"aad">>, true)),
    p(crypto:crypto_one_time(aes_128_ctr, <<0:128>>, <<0:128>>, <<"hello">>, true)),
    p(erlang:md5(crypto:crypto_one_time(aes_256_cbc, K, <<0:128>>, binary:copy(<<"0123456789abcdef">>, 10000), true))),
    S = crypto:crypto_init(aes_128_cbc, <<0:128>>, <<0:128>>, [{encrypt, true}, {padding, pkcs_padding}]),
    p([crypto:crypto_update(S, binary:copy(<<"x">>, N)) || N <- lists:seq(1, 40)]),
    p(crypto:crypto_final(S)),
    p(crypto:cipher_info(aes_256_gcm)).

keys() ->
    {A1, A2} = crypto:generate_key(ecdh, x25519),
    {B1, B2} = crypto:generate_key(ecdh, x25519),
    p(crypto:compute_key(ecdh, A1, B2, x25519) =:= crypto:compute_key(ecdh, B1, A2, x25519)),
    p(crypto:generate_key(ecdh, secp256r1, <<7:256>>)),
    {E1, E2} = crypto:generate_key(eddsa, ed25519, <<1:256>>),
    Sig = crypto:sign(eddsa, none, <<"msg">>, [E2, ed25519]),
    p({Sig, crypto:verify(eddsa, none, <<"msg">>, Sig, [E1, ed25519])}),
    {R1, R2} = crypto:generate_key(rsa, {2048, 65537}),
    RSig = crypto:sign(rsa, sha256, <<"msg">>, R2),
    p({crypto:verify(rsa, sha256, <<"msg">>, RSig, R1), crypto:verify(rsa, sha256, <<"msx">>, RSig, R1)}),
    p(crypto:private_decrypt(rsa, crypto:public_encrypt(rsa, <<"secret">>, R1, rsa_pkcs1_oaep_padding), R2, rsa_pkcs1_oaep_padding)),
    {C1, C2} = crypto:generate_key(ecdh, secp256r1),
    p(crypto:verify(ecdsa, sha256, <<"msg">>, crypto:sign(ecdsa, sha256, <<"msg">>, [C2, secp256r1]), [C1, secp256r1])),
    p(crypto:mod_pow(3, 100, 1000007)),
    p(crypto:exor(<<1, 2, 3>>, <<4, 5, 6>>)).

%% What is raised, and where it says that it was.
errors() ->
    [p(try F() catch C:R:S -> {C, R, [{M, N, if is_list(A) -> length(A); true -> A end} || {M, N, A, _} <- S, M =:= crypto]} end)
     || F <- [fun() -> crypto:hash(nosuch, <<"abc">>) end, fun() -> crypto:hash(sha, [a]) end,
              fun() -> crypto:crypto_one_time(aes_128_ctr, <<0:120>>, <<0:128>>, <<"hello">>, true) end,
              fun() -> crypto:crypto_one_time(aes_129_ctr, <<0:120>>, <<0:128>>, <<"hello">>, true) end,
              fun() -> crypto:sign(rsa, sha256, <<"msg">>, [1, 2]) end, fun() -> crypto:strong_rand_bytes(-1) end,
              fun() -> crypto:hash_update(make_ref(), <<>>) end, fun() -> crypto:generate_key(ecdh, nocurve) end]].

connection(Version) ->
    #{server_config := Server, client_config := Client} = public_key:pkix_test_data(#{server_chain => chain(), client_chain => chain()}),
    {ok, L} = ssl:listen(0, Server ++ [{versions, [Version]}, {active, false}, binary, {ip, {127, 0, 0, 1}}]),
    {ok, {_, Port}} = ssl:sockname(L),
    Me = self(),
    spawn_link(fun() ->
        {ok, T} = ssl:transport_accept(L),
        {ok, C} = ssl:handshake(T),
        {ok, D} = ssl:recv(C, 5),
        ok = ssl:send(C, [<<"got ">>, D]),
        {ok, Big} = ssl:recv(C, 100000),
        Me ! {big, erlang:md5(Big)},
        ssl:close(C)
    end),
    {ok, C} = ssl:connect({127, 0, 0, 1}, Port, Client ++ [{versions, [Version]}, {active, false}, {verify, verify_peer}, {server_name_indication, disable}, binary]),
    ok = ssl:send(C, <<"hello">>),
    p(ssl:recv(C, 9)),
    ok = ssl:send(C, binary:copy(<<"0123456789">>, 10000)),
    receive {big, Sum} -> p(Sum) end,
    p(ssl:connection_information(C, [protocol, selected_cipher_suite])),
    ssl:close(C).

chain() ->
    Key = [{key, {namedCurve, secp256r1}}],
    #{root => Key, intermediates => [], peer => Key}.
