%% What module net says of this machine and its interfaces.
-module(net_names).
-export([main/0]).

main() ->
    t:all([{atom_to_list(F) ++ io_lib:format("~w", [A]), fun() -> apply(net, F, A) end} ||
              {F, A} <- [{gethostname, []}, {if_names, []}, {if_name2index, ["lo"]}, {if_name2index, ["nosuch"]}, {if_name2index, [x]},
                         {if_index2name, [1]}, {if_index2name, [99999]}, {if_index2name, [x]}, {info, []}]]),
    t:show("command", fun() -> prim_net:command(foo) end).
