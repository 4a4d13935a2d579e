# mix: a new project, its tests, an escript of it, a release that is started.
command -v mix > /dev/null || { echo "mix is not installed"; exit 77; }
# Since Elixir 1.18 mix wants crypto, and says so among its output where it is missing: that of another release may want a newer libcrypto.
erl -noshell -eval 'NoCrypto = list_to_integer(erlang:system_info(otp_release)) > 25 andalso code:ensure_loaded(crypto) =/= {module, crypto}, halt(if NoCrypto -> 1; true -> 0 end).' > /dev/null 2>&1 ||
    { echo "mix of Elixir 1.18 needs crypto"; exit 77; }
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
  def handle_call({:add, n}, _, s) do
    Logger.info("adding #{n}", n: n)
    {:reply, s + n, s + n}
  end
end
END
cat > lib/proj/once.ex <<'END'
defmodule Proj.Once do
  use Task
  def start_link(_), do: Task.start_link(fn -> if System.get_env("ONCE"), do: run() end)
  def run() do
    case :init.get_status() do
      {:started, _} ->
        {:ok, _} = Proj.Server.start_link(1)
        IO.inspect({Proj.Server.add(2), :code.get_mode(), Application.get_env(:proj, :here), Logger.level()})
        Logger.flush()
        System.stop(4)
      _ ->
        Process.sleep(10)
        run()
    end
  end
end
END
mkdir -p config
echo 'import Config
config :logger, :console, format: "$level $metadata$message\n", metadata: [:n]
config :proj, here: :compiled' > config/config.exs
echo 'import Config
if System.get_env("ONCE"), do: config :proj, here: :runtime' > config/runtime.exs
cat > lib/proj/main.ex <<'END'
defmodule Proj.Main do
  def main(args), do: IO.puts("main #{inspect(args)}")
end
END
cat > test/server_test.exs <<'END'
defmodule Proj.ServerTest do
  use ExUnit.Case, async: true
  test "adds" do
    start_supervised!({Proj.Server, 1}) # ended before the next test, which a mere link would not wait for
    assert Proj.Server.add(2) == 3
    assert_raise ArithmeticError, fn -> 1 / (Proj.Server.add(-3)) end
  end
  test "logs" do
    import ExUnit.CaptureLog
    require Logger
    start_supervised!({Proj.Server, 1})
    assert capture_log(fn -> Proj.Server.add(2) end) =~ "info n=2 adding 2"
    assert capture_log([level: :error], fn -> Logger.warning("not this") end) == ""
    Logger.configure(level: :warning)
    assert capture_log(fn -> Proj.Server.add(2) end) == ""
    Logger.configure(level: :debug)
  end
  test "prints", do: assert ExUnit.CaptureIO.capture_io(fn -> IO.puts("x") end) == "x\n"
  test "wrong" do
    assert %{a: 1} == %{a: 2}
  end
end
END
sed -i 's/      start_permanent/      escript: [main_module: Proj.Main], start_permanent/' mix.exs
mix compile; echo "status $?"
mix test --seed 0 2>&1 | quiet | tr -d . | sed '/^$/d' | sort # dots, logger and reports are printed by different processes
mix escript.build > /dev/null && escript proj a b
mix run -e 'IO.inspect Proj.hello()'
sed -i 's/children = \[/children = [Proj.Once/' lib/proj/application.ex
# Its cookie is made by crypto.
export MIX_ENV=prod RELEASE_DISTRIBUTION=none
mix release > out 2>&1 || cat out
release=_build/prod/rel/proj
ls $release $release/releases/0.1.0
$release/bin/proj eval 'IO.inspect({Application.ensure_all_started(:proj), Application.get_env(:proj, :here)})'; echo "status $?"
ONCE=yes $release/bin/proj start < /dev/null; echo "status $?"
$release/bin/proj version
mix format --check-formatted > /dev/null 2>&1; echo "status $?"
