# mix: a new project, its tests, an escript of it, a release.
command -v mix > /dev/null || { echo "mix is not installed"; exit 77; }
# Since Elixir 1.18 mix talks to other mix of the same user.
erl -noshell -eval 'NoTcp = list_to_integer(erlang:system_info(otp_release)) > 25 andalso element(1, gen_tcp:listen(0, [])) =/= ok, halt(if NoTcp -> 1; true -> 0 end).' ||
    { echo "mix of Elixir 1.18 needs TCP"; exit 77; }
cd "$WORK" || exit 1
export MIX_HOME="$WORK/home" HEX_OFFLINE=1
quiet() { sed -e 's/in [0-9.]* seconds.*/in some time/' -e '/^Randomized/d'; }
mix new proj --sup > /dev/null; echo "status $?"
cd proj || exit 1
cat > lib/proj/server.ex <<'END'
defmodule Proj.Server do
  use GenServer
  require Logger
  def start_link(x), do: GenServer.start_link(__MODULE__, x, name: __MODULE__)
  def init(x), do: {:ok, x}
  def add(n), do: GenServer.call(__MODULE__, {:add, n})
  def handle_call({:add, n}, _, s), do: {:reply, s + n, s + n}
end
END
cat > lib/proj/main.ex <<'END'
defmodule Proj.Main do
  def main(args), do: IO.puts("main #{inspect(args)}")
end
END
cat > test/server_test.exs <<'END'
defmodule Proj.ServerTest do
  use ExUnit.Case, async: true
  test "adds" do
    {:ok, _} = Proj.Server.start_link(1)
    assert Proj.Server.add(2) == 3
    assert_raise ArithmeticError, fn -> 1 / (Proj.Server.add(-3)) end
  end
  test "wrong" do
    assert %{a: 1} == %{a: 2}
  end
end
END
sed -i 's/      start_permanent/      escript: [main_module: Proj.Main], start_permanent/' mix.exs
mix compile; echo "status $?"
mix test --seed 0 2>&1 | quiet
mix escript.build > /dev/null && escript proj a b
mix run -e 'IO.inspect Proj.hello()'
mix format --check-formatted > /dev/null 2>&1; echo "status $?"
