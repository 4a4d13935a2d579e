# Elixir: expressions, scripts, compiled modules.
command -v elixir > /dev/null || { echo "elixir is not installed"; exit 77; }
cd "$WORK" || exit 1
elixir -e 'IO.puts 1+1'
elixir -e 'IO.inspect {Regex.match?(~r/a+/, "caat"), Enum.map(1..3, & &1 * 2), String.upcase("äö"), ~D[2020-02-29] |> Date.add(1)}'
cat > s.exs <<'END'
defprotocol Size do
  def size(x)
end
defimpl Size, for: List do
  def size(x), do: length(x)
end
defmodule P do
  defstruct a: 1, b: 2
  use GenServer
  def init(x), do: {:ok, x}
  def handle_call(:get, _, s), do: {:reply, s, s}
end
{:ok, p} = GenServer.start_link(P, %P{a: 5})
IO.inspect({Size.size([1, 2]), GenServer.call(p, :get), Task.await(Task.async(fn -> 3 end))})
{:ok, _} = Registry.start_link(keys: :unique, name: R)
{:ok, _} = Registry.register(R, :k, :v)
IO.inspect(Registry.lookup(R, :k) |> Enum.map(&elem(&1, 1)))
{:ok, s} = DynamicSupervisor.start_link(strategy: :one_for_one)
{:ok, a} = DynamicSupervisor.start_child(s, {Agent, fn -> 7 end})
IO.inspect(Agent.get(a, & &1))
for x <- Stream.iterate(1, &(&1 * 2)) |> Enum.take(5), do: IO.write("#{x} ")
IO.puts("")
try do
  raise ArgumentError, "mine"
rescue
  e -> IO.inspect(e)
end
IO.inspect(System.argv())
with {:ok, x} <- Map.fetch(%{a: 1}, :a), do: IO.puts("got #{x}")
IO.puts(Calendar.strftime(~N[2020-01-02 03:04:05], "%Y %B %d"))
IO.inspect(Code.eval_string("a + b", a: 1, b: 2) |> elem(0))
System.at_exit(fn s -> IO.puts("exit #{s}") end)
exit({:shutdown, 3})
END
elixir s.exs x y; echo "status $?"
elixir -e 'raise "oops"' 2>&1; echo "status $?"
elixir -e 'foo(' 2>&1; echo "status $?"
printf 'defmodule M do\n  def f(x), do: x + 1\nend\n' > m.ex
{ elixirc m.ex; echo "status $?"; } | grep -v "it's taking more than" # on a busy machine
ls
elixir -e 'IO.puts M.f(1)'
elixir --version | tail -1
