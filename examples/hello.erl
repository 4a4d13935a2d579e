%% The smallest program: `mote hello.beam` calls start/0.
-module(hello).
-export([start/0]).

start() ->
    io:format("Hello, world!~n").
