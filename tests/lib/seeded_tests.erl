%% For tests/command/seed.sh: a module of EUnit's with a test that some seeds break.
-module(seeded_tests).
-include_lib("eunit/include/eunit.hrl").

bank_test() -> [?assertEqual(0, seeded:bank()) || _ <- lists:seq(1, 20)].
