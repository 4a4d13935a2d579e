%% Several processes make the same atoms at once and look them up, while the table grows: a text is one atom, whoever has made it, an
%% atom that has been made is found, and its text is what it was made of.
-module(atoms_shared).
-export([main/0, start/0]).

start() -> main(), halt().

main() ->
    Count = 200 * list_to_integer(os:getenv("ROUNDS", "40")),
    _ = text(1), % loads what it needs
    Before = erlang:system_info(atom_count),
    Made = together([fun() -> make(K, Count) end || K <- lists:seq(1, 6)]),
    More = erlang:system_info(atom_count) - Before - Count,
    io:format("the same atoms: ~p~n", [length(lists:usort([lists:sort(As) || As <- Made]))]),
    io:format("made once: ~p~n", [More >= 0 andalso More < 500]),
    Atoms = hd(Made),
    External = term_to_binary(Atoms),
    io:format("found: ~p~n", [lists:usort(together([fun() -> found(K, Atoms, External, Count) end || K <- lists:seq(1, 6)]))]),
    io:format("seen by others: ~p~n", [lists:usort(together([fun() -> passes(K, Count) end || K <- lists:seq(1, 4)]))]).

together(Funs) ->
    Me = self(),
    [receive {P, X} -> X end || P <- [spawn_link(fun() -> Me ! {self(), F()} end) || F <- Funs]].

text(N) -> lists:concat(["an atom of several, ", N, ".", lists:duplicate(N rem 40, $x)]).

%% Each begins somewhere else, and in one of three ways.
make(K, Count) ->
    [one(K rem 3, text((N + K * Count div 6) rem Count)) || N <- lists:seq(1, Count)].

one(0, Text) -> list_to_atom(Text);
one(1, Text) -> binary_to_atom(list_to_binary(Text));
one(2, Text) -> binary_to_term(<<131, 119, (length(Text)), (list_to_binary(Text))/binary>>).

%% While new ones are made.
found(K, Atoms, External, Count) ->
    [begin
         Text = atom_to_list(A),
         A = list_to_existing_atom(Text),
         A = binary_to_existing_atom(list_to_binary(Text)),
         _ = [list_to_atom(lists:concat([found, K, N, Count])) || N rem 4 =:= 0],
         N rem 8 =/= 0 orelse list_to_existing_atom(lists:concat([found, K, N, Count])),
         no = try list_to_existing_atom(lists:concat([Text, K, N])) catch error:badarg -> no end
     end || {N, A} <- lists:zip(lists:seq(1, length(Atoms)), Atoms)],
    Atoms =:= binary_to_term(External, [safe]).

%% What one has made, another one finds as soon as it knows of it.
passes(K, Count) ->
    Other = spawn_link(fun finds/0),
    [begin
         Text = lists:concat(["passed on ", K, ".", N]),
         A = list_to_atom(Text),
         Other ! {self(), Text},
         receive {Other, A} -> ok end
     end || N <- lists:seq(1, Count div 4)],
    unlink(Other), exit(Other, kill).

finds() ->
    receive {From, Text} -> From ! {self(), list_to_existing_atom(Text)} end,
    finds().
