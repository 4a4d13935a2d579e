"""Sessions in a terminal. After each step what the terminal shows is waited for, and printed: the same on Erlang's own machine and on
Mote. A step is the keys that are pressed and the line that the cursor must come to stand in; what stands behind the cursor is
behind a |."""
import fcntl, os, pty, re, select, signal, struct, sys, termios, time, unicodedata

PATIENCE = int(os.environ.get('PATIENCE', '120'))    # a step waits for what it must show, however busy the machine is


class Screen:
    """As much of a terminal as the shell uses. Lines are kept for ever; `lines[row][column]`."""
    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.lines, self.row, self.column, self.pending, self.rest = [[]], 0, 0, False, b''

    def line(self, row=None):
        return ''.join(c for c in self.lines[self.row if row is None else row]).rstrip()

    def state(self):
        """The cursor's line, with a mark where the cursor is unless that is at its end."""
        cells = self.lines[self.row]
        before = ''.join((cells + [' '] * self.columns)[:self.column])
        behind = ''.join(cells[self.column:]).rstrip()
        return before.rstrip() + ' ' * (len(before) - len(before.rstrip())) + ('|' + behind if behind else '')

    def down(self):
        self.row += 1
        while self.row >= len(self.lines):
            self.lines.append([])

    def put(self, c):
        if unicodedata.combining(c):
            return
        width = 2 if unicodedata.east_asian_width(c) in 'WF' else 1
        if self.pending or self.column + width > self.columns:
            self.column, self.pending = 0, False
            self.down()
        cells = self.lines[self.row]
        cells += [' '] * (self.column + width - len(cells))
        cells[self.column] = c
        if width == 2:
            cells[self.column + 1] = ''
        self.column += width
        if self.column == self.columns:
            self.column, self.pending = self.columns - 1, True

    def control(self, kind, args):
        n = args[0] if args and args[0] else 1
        self.pending = False
        cells = self.lines[self.row]
        if kind == 'C':
            self.column = min(self.columns - 1, self.column + n)
        elif kind == 'D':
            self.column = max(0, self.column - n)
        elif kind == 'A':
            self.row = max(0, self.row - n)
        elif kind == 'B':
            for _ in range(n):
                self.down()
        elif kind == 'G':
            self.column = n - 1
        elif kind == 'P':
            del cells[self.column:self.column + n]
        elif kind == '@':
            cells[self.column:self.column] = [' '] * n
        elif kind == 'K':
            del cells[self.column:]
        elif kind == 'J':
            del cells[self.column:]
            del self.lines[self.row + 1:]
        elif kind == 'n':
            return b'\x1b[%d;%dR' % (min(self.row + 1, self.rows), self.column + 1)
        elif kind not in 'mhl':
            print(f'unknown: CSI {args} {kind}')
        return b''

    def feed(self, data):
        answer = b''
        data = self.rest + data
        i = 0
        while i < len(data):
            c = data[i:i + 1]
            if c == b'\x1b':
                m = re.match(rb'\x1b\[([?>]?)([0-9;]*)([A-Za-z@])|\x1b[()][A-Z0-9]|\x1b[=>78]', data[i:])
                if m is None:
                    if len(data) - i < 20:
                        break
                    print(f'unknown: {data[i:i + 20]!r}')
                    i += 1
                    continue
                if m.group(3):
                    answer += self.control(m.group(3).decode(), [int(x or 0) for x in m.group(2).split(b';')])
                i += m.end()
            elif c in b'\r\n\b\a\t\x0e\x0f' :
                self.pending = False
                if c == b'\r':
                    self.column = 0
                elif c == b'\n':
                    self.down()
                elif c == b'\b':
                    self.column = max(0, self.column - 1)
                elif c == b'\t':
                    self.column = min(self.columns - 1, (self.column // 8 + 1) * 8)
                i += 1
            else:
                n = 1 if c[0] < 0x80 else 2 if c[0] < 0xe0 else 3 if c[0] < 0xf0 else 4
                if len(data) - i < n:
                    break
                self.put(data[i:i + n].decode(errors='replace')[0])
                i += n
        self.rest = data[i:]
        return answer


class Session:
    def __init__(self, name, command, columns=80, rows=24):
        print(f'--- {name}')
        self.over = False
        self.screen = Screen(columns, rows)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)    # whoever runs the tests may ignore it
            os.environ.update(TERM='xterm', ERL_CRASH_DUMP_SECONDS='0', HOME=os.getcwd())
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
            os.execvp(command[0], command)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def read(self):
        """False: it is over."""
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        answer = self.screen.feed(data)
        if answer:
            os.write(self.fd, answer)
        return data != b''

    def until(self, is_there):
        end = time.time() + PATIENCE
        while not is_there():
            if time.time() > end or not select.select([self.fd], [], [], max(0.01, end - time.time()))[0] or not self.read():
                return False
        return True

    def until_raw(self):
        """Waits until the shell has the keys one by one (again), and no echo of the system's."""
        end = time.time() + PATIENCE
        while termios.tcgetattr(self.fd)[3] & (termios.ICANON | termios.ECHO) and time.time() < end:
            if select.select([self.fd], [], [], 0.01)[0] and not self.read():
                return

    def press(self, keys):
        data = keys.encode()
        while data:
            data = data[os.write(self.fd, data):]

    def step(self, keys, line, shows=None):
        """shows: text of a line above that has to be there, too."""
        first, before = self.screen.row, self.screen.state()
        self.press(keys)
        there = lambda: self.screen.state() in (line if isinstance(line, tuple) else (line,)) and (not keys or self.screen.row != first or self.screen.state() != before) and (shows is None or any(shows in self.screen.line(r) for r in range(first, self.screen.row + 1)))
        ok = self.until(there)
        print(f'{keys!r}: {self.screen.state()!r}' + ('' if ok else f' is not {line!r}, {shows!r}: ' + repr([self.screen.line(r) for r in range(first, self.screen.row + 1)])))
        for r in range(first + 1, self.screen.row if keys else 0):
            print('   ', self.screen.line(r))
        return ok

    def menu(self, key, *lines):
        """^C, a choice, and what some of the lines begin with that it prints; before and behind it the shell has the terminal."""
        first = self.screen.row
        self.until_raw()
        self.press(control('C'))
        ok = self.until(lambda: any(self.screen.line(r).endswith(MENU) for r in range(first, self.screen.row)))
        self.press(key + ENTER)
        ok &= self.until(lambda: all(any(self.screen.line(r).startswith(line) for r in range(first, self.screen.row + 1)) for line in lines))
        print(f'^C {key}: {lines}' + ('' if ok else ' is not in ' + repr([self.screen.line(r) for r in range(first, self.screen.row + 1)])))

    def steps(self, *steps):
        for s in steps:
            if not self.over and not self.step(*s):
                self.end('kill')
                return False
        return True

    def last(self, keys):
        """The step after which it ends."""
        if not self.over:
            self.press(keys)
            self.end()
            print(f'{keys!r}: {[self.screen.line(r) for r in range(max(0, len(self.screen.lines) - 3), len(self.screen.lines))]}')

    def end(self, how='wait'):
        if self.over:
            return
        self.over = True
        if how == 'hangup':
            os.close(self.fd)
        elif how == 'kill':
            os.kill(self.pid, signal.SIGKILL)
        else:
            while self.read():
                pass
        end, pid = time.time() + PATIENCE, 0
        while pid == 0 and time.time() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            time.sleep(0.01 if pid == 0 else 0)
        if pid == 0:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            print('it does not end')
        else:
            print('ends:', status)


LEFT, RIGHT, UP, DOWN, HOME, END, DELETE = ('\x1b[D', '\x1b[C', '\x1b[A', '\x1b[B', '\x1b[H', '\x1b[F', '\x1b[3~')
BACK, ENTER = '\x7f', '\r'

def control(c):
    return chr(ord(c) - 64)


def editing():
    s = Session('line editing', ['erl'])
    s.steps(
        ('', '1> '),
        ('1+1.', '1> 1+1.'), (ENTER, '2> ', '2'),
        ('abc', '2> abc'), (control('A'), '2> |abc'), (control('E'), '2> abc'), (control('B'), '2> ab|c'), ('XY', '2> abXY|c'),
        (control('D'), '2> abXY'), (BACK, '2> abX'), (LEFT, '2> ab|X'), (LEFT, '2> a|bX'), (RIGHT, '2> ab|X'), (control('T'), '2> aXb'),
        (control('U'), '2> '), ('one two three', '2> one two three'), (control('W'), '2> one two '), (control('Y'), '2> one two three'),
        ('\x1bb', '2> one two |three'), ('\x1bb', '2> one |two three'), (control('K'), '2> one '), (control('Y'), '2> one two three'),
        ('\x1bb\x1bb\x1bb', '2> |one two three'), ('\x1bf', '2> one| two three'), (control('A'), '2> |one two three'), (control('K'), '2> '),
        ('"äöü€".', '2> "äöü€".'), (BACK + BACK + BACK, '2> "äöü'), (LEFT + BACK, '2> "ä|ü'), (control('E') + control('U'), '2> '),
        ('"漢字".', '2> "漢字".'), (LEFT + LEFT + LEFT, '2> "漢|字".'), (BACK, '2> "|字".'), (control('E') + ENTER, '3> ', '[23383]'),
        (HOME + 'x' + END, '3> x'), (BACK, '3> '),
        ('lists:rev\t', '3> lists:reverse('), ('[1]).', '3> lists:reverse([1]).'), (ENTER, '4> ', '[1]'),
        ("lists:duplicate(100, $a) =/= lists:duplicate(100, $b), abcdefghijklmnopqrstuvw,", 'w,'), ('x', 'w,x'), (BACK, 'w,'), (LEFT + LEFT + LEFT, '4> lists:duplicate(100, $a) =/= lists:duplicate(100, $b), abcdefghijklmnopqrstu|v'),
        (control('E') + control('U'), '4> '),
        ('halt(1).', '4> halt(1).'))
    s.last(ENTER)


def history():
    s = Session('history', ['erl'])
    s.steps(
        ('', '1> '), ('first.' + ENTER, '2> ', 'first'), ('second.' + ENTER, '3> ', 'second'),
        (UP, '3> second.'), (UP, '3> first.'), (DOWN, '3> second.'), (control('P'), '3> first.'), (control('N'), '3> second.'), (control('N'), '3> '),
        (UP, '3> second.'), (UP, '3> first.'), (BACK + '2.', '3> first2.'), (ENTER, '4> ', 'first2'), ('v(2).' + ENTER, '5> ', 'second'), ('e(1).' + ENTER, '6> ', 'first'),
        ('X = 1,' + ENTER, ('6> ', '.. ')), ('X + 1.' + ENTER, '7> ', '2') , ('b().' + ENTER, '8> ', 'X = 1'), ('f(), foo(.' + ENTER, '8> ', 'syntax error'),
        ('1/0.' + ENTER, '9> ', 'error occurred when evaluating'), ('exit(bye).' + ENTER, '10> ', 'bye'), ('receive after 10000 -> ok end.' + ENTER, ''))
    s.end('hangup')


def reading():
    s = Session('what programs read', ['erl'])
    s.steps(
        ('', '1> '), ('io:get_line("line? ").' + ENTER, 'line? '), ('äb' + LEFT + 'x' + ENTER, '2> ', 'xb'),
        ('io:read("term? ").' + ENTER, 'term? '), ('{a,' + ENTER, ('term? ', '   .. ')), ('b}.' + ENTER, '3> ', '{ok,{a,b}}'),
        ('io:get_chars("", 3).' + ENTER, ''), ('abc' + ENTER, '4> ', '"abc"'),
        ('io:fread("> ", "~d~d").' + ENTER, '> '), ('1 2' + ENTER, '5> ', '{ok,[1,2]}'),
        ('io:get_password().' + ENTER, ''), ('secret' + ENTER, '6> ', '"secret"'),
        ('{io:columns(), io:rows()}.' + ENTER, '7> ', '{{ok,80},{ok,24}}'))
    fcntl.ioctl(s.fd, termios.TIOCSWINSZ, struct.pack('HHHH', 30, 60, 0, 0))
    s.steps(('(fun F() -> case io:columns() of {ok,60} -> io:rows(); _ -> F() end end)().' + ENTER, '8> ', '{ok,30}'))
    s.last('halt(3).' + ENTER)


def jobs():
    s = Session('jobs', ['erl'])
    s.steps(
        ('', '1> '), ('X = 5.' + ENTER, '2> ', '5'), (control('G'), ' --> '), ('h' + ENTER, ' --> ', 'c [nn]'), ('j' + ENTER, ' --> ', '1* {shell,start'),
        ('s' + ENTER, ' --> '), ('c 2' + ENTER, '1> '), ('Y = 6.' + ENTER, '2> ', '6'), (control('G'), ' --> '), ('j' + ENTER, ' --> ', '2* {shell,start'))
    s.press('c 1' + ENTER + 'X.' + ENTER) # since 26 the prompt is shown again
    print('the first job:', s.until(lambda: s.screen.state() == '3> '), [s.screen.line(s.screen.row - 1)])
    s.steps(
        ('timer:sleep(infinity).' + ENTER, ''), (control('G'), ' --> '), ('i 1' + ENTER, ' --> '),
        ('c 1' + ENTER, ('3> ', '4> '), 'killed'), (control('G'), ' --> '), ('k 2' + ENTER, ' --> '), ('x' + ENTER, ' --> ', 'Unknown'))
    s.last('q' + ENTER)


def others():
    s = Session('-noshell', ['erl', '-noshell', '-eval', 'io:format("~p~n", [io:get_line("? ")]), halt(2).'])
    s.steps(('', '? '),)
    s.last('abc' + ENTER)
    s = Session('-noinput', ['erl', '-noinput', '-eval', 'io:format("no input~n"), halt(2).'])
    s.last('')
    s = Session('a terminal that goes away', ['erl'])
    s.steps(('', '1> '),)
    s.end('hangup')
    s = Session('the old shell', ['erl', '-oldshell'])
    s.steps(('', '1> '), ('1 + 2.' + ENTER, '2> ', '3'))
    s.last('halt(4).' + ENTER)


MENU = '(l)oaded (v)ersion (k)ill (D)b-tables (d)istribution'


def breaking():
    s = Session('the break menu', ['erl'])
    s.steps(('', '1> '), (control('C'), '', MENU), ('x' + ENTER, '', MENU), ('c' + ENTER, ''))
    s.until_raw()
    s.steps(('1 + 1.' + ENTER, '2> ', '2'), ('P = spawn(fun() -> timer:sleep(infinity) end), ok.' + ENTER, '3> ', 'ok'))
    s.menu('v', 'Erlang (BEAM) emulator version ')
    s.menu('l', 'Current code: ', 'Old code: ', 'lists ', 'init ')
    s.menu('p', '=proc:<0.0.0>', 'Name: init', 'Spawned as: ', 'Message queue length: ', '=port:')
    s.menu('i', '=memory', 'total: ', '=hash_table:', '=allocated_areas')
    s.menu('D', '=ets:', 'Name: ', 'Objects: ')
    s.menu('d', "=node:'nonode@nohost'", '=no_distribution')
    s.menu('o', '=port:')
    s.steps((control('C'), '', MENU),)
    s.last('a' + ENTER)
    s = Session('killing', ['erl', '-noinput', '-eval', '{_, R} = spawn_monitor(fun() -> timer:sleep(infinity) end), io:format("ready~n~n"), receive {_, R, _, _, killed} -> halt(5) end.'])
    s.steps(('', '', 'ready'),)
    s.menu('k', '=proc:', '(k)ill (n)ext (r)eturn:')
    s.press('k' + ENTER + 'r' + ENTER)
    s.end()
    for name, key in (('twice', control('C')), ('the end of what is typed', control('D')), ('with a dump', 'A' + ENTER)):
        s = Session('break, ' + name, ['erl'])
        s.steps(('', '1> '), (control('C'), '', MENU))
        s.last(key)
    for flag in '+Bi', '+Bc':
        s = Session(flag, ['erl'] + flag.split())
        if flag == '+Bc':
            s.steps(('', '1> '), ('timer:sleep(infinity).' + ENTER, ''), (control('C'), '2> ', 'killed'))
        else:
            s.steps(('', '1> '), (control('C') + 'ok.' + ENTER, '2> ', 'ok'))
        s.last('halt(3).' + ENTER)
    for command in ['erl', '+Bd'], ['erl', '+B'], ['erl', '-noinput', '-eval', 'io:format("ready")']:
        s = Session(' '.join(command), command)
        s.steps(('', ('1> ', 'ready')),)
        if command[1] == '-noinput':
            s.steps((control('C'), '', MENU),)
            s.last('a' + ENTER)
        else:
            s.last(control('C'))


def iex():
    s = Session('iex', ['iex'])
    s.steps(
        ('', 'iex(1)> '), ('1 + 1' + ENTER, 'iex(2)> ', '2'), ('x = [a: 1,' + ENTER, '...(2)> '), ('b: 2]' + ENTER, 'iex(3)> ', '[a: 1, b: 2]'),
        ('String.upc\t', 'iex(3)> String.upcase'), ('("äö")' + ENTER, 'iex(4)> ', '"ÄÖ"'), (UP, 'iex(4)> String.upcase("äö")'), (control('U'), 'iex(4)> '),
        ('x[:b]' + ENTER, 'iex(5)> ', '2'), ('raise "oops"' + ENTER, 'iex(5)> ', '** (RuntimeError) oops'), ('foo(' + ENTER, '...(5)> '), ('#iex:break' + ENTER, 'iex(5)> ', '** (TokenMissingError)'),
        ('IO.gets("name? ")' + ENTER, 'name? '), ('Ada' + ENTER, 'iex(6)> ', '"Ada\\n"'),
        ('defmodule M do def f(x), do: {:ok, x} end' + ENTER, 'iex(7)> ', '{:module, M,'), ('M.f(1)' + ENTER, 'iex(8)> ', '{:ok, 1}'),
        ('Task.await(Task.async(fn -> IO.puts("from a process") end))' + ENTER, 'iex(9)> ', 'from a process'), ('v(1)' + ENTER, 'iex(10)> ', '2'),
        ('exit(:bye)' + ENTER, 'iex(10)> ', '** (exit) :bye'))
    s.last('System.halt(3)' + ENTER)
    s = Session('iex and ^C', ['iex', '-e', 'IO.puts(1 + 2)'])
    s.steps(('', 'iex(1)> ', '3'), (control('C'), '', MENU))
    s.last('a' + ENTER)


for name in sys.argv[1:]:
    globals()[name]()
    sys.stdout.flush()
