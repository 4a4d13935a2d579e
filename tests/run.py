#!/usr/bin/env python3
"""Runs Mote's tests and closes with `N passed, N failed, N skipped`.

    tests/run.py [--long] [--quick] [--build release,sanitize,stress] [WORD...]

Tests are found by their place:
  tests/unit/*.c            C tests of single rooms (a runner per build)
  tests/erl/*.erl           programs: what main/0 prints on Mote must be what it prints on Erlang/OTP, in every engine and build
  tests/library/*.erl       OTP's stdlib on Mote: programs, as in tests/erl
  tests/library/*.txt       the same: expressions, one a line (tests/lib/expressions.erl)
  tests/threads/*.erl       the same with four schedulers: ROUNDS says how often, STRESS_SECONDS (1, 5, --long: 600) and MESSAGES how much
  tests/random/*.erl        the same with random programs and terms: main/0 takes a seed and a count from the environment
  tests/fixtures/*/         .beam files of other compilers, with the output that their own release printed (see its README)
  tests/command/*.sh        the command line: each prints nothing and exits 0, or says what is wrong
  tests/boot/*.sh           an installed OTP and Elixir on Mote: the same output as on Erlang's own machine
  tests/failing/*.erl       programs to run again and again, each time with another allocation that fails
  tests/soak/soak.erl       a mixed load on booted OTP, whose memory must stay flat: 20 seconds, --long: 30 minutes; SOAK_SECONDS says otherwise
  tests/model/*.pml         models of what several schedulers share, all interleavings (spin): no error, and one if a step is left out (BROKEN...)
  tests/fuzz/*.c            fuzz targets (clang), a short run each
  tests/conformance/        OTP's own suites (scripts/otp-suites): no case that passes in the table may fail; a choice, --long: all
  parts                     builds without one part (PART_... in the Makefile), and without all: they link, the core is as small as it should be, and runs
and with them: the modules of stdlib and compiler, compiled by Erlang's compiler on Mote (a sample; --long: all); mutants of modules
and packs, loaded and run. Sizes: --quick, normal, --long; builds other than release get smaller ones, but all of the tests.
COUNT (of random programs and terms), SEED, MUTANTS (of each file and pack), FUZZ_SECONDS and SOAK_SECONDS in the environment say otherwise.
WORD selects tests whose name contains it."""
import argparse, concurrent.futures, glob, os, random, re, resource, subprocess, sys, tempfile, threading, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(os.path.join(ROOT, 'tools'))
import gen_atoms

SKIPPED = 'skipped'

# What scripts/setup has unpacked and not installed, behind what is installed.
PACKAGES = os.path.join(ROOT, 'build', 'packages', 'usr')
os.environ['PATH'] += ':' + os.path.join(PACKAGES, 'bin')
os.environ['PACKAGES'] = PACKAGES

class Skip(str):
    """Skipped, and why."""

# The stripped core's budget in bytes; the programs of tests/erl that need more than the core; the scripts of tests/command that do not.
CORE_SIZE = 700000
BEYOND_CORE = set('drivers error_handlers match_specs max_heap ports process_more regular_expressions tracing tracing_more'.split())
CORE_COMMANDS = {'crash_reports', 'damaged_files', 'start_and_main', 'uncaught_errors'}
QUICK_CORE = {'exceptions', 'processes', 'uncaught_errors'}

REPORT = 99  # the status of a program that a sanitizer has stopped

# What a build's slowness divides sizes by: programs read it as SHRINK (t:shrink/1), on erl as well.
SHRINK = {'release': 1, 'debug': 1, 'native': 1, 'sanitize': 4, 'thread': 4, 'stress': 20}

# Modules whose mutants are run: copies of these of stdlib, and programs of ours.
MUTATED_LIBRARY = 'lists maps string queue gb_trees gb_sets dict orddict base64 binary calendar rand array sofs proplists erl_scan'.split()
MUTATED_PROGRAMS = ['tests/fixtures/otp25/probe.beam', 'tests/fixtures/otp27/probe.beam', 'tests/fixtures/otp29/native_records.beam']
MUTATED_PACKS = 2

# Of tests/boot, what takes long: not in quick runs, with the release build only, natively only in long runs.
WHOLE_TOOLS = {'dialyzer', 'iex', 'mistakes', 'rebar3', 'terminal'}
# Of these, in a pty, where erl itself shows another line now and then (the menu's, after ^C), and a step that is missed costs minutes: long runs only.
TERMINALS = {'iex', 'terminal'}

def run(command, timeout=120, env=None, **more):
    """Returns (status, output); status None: it took too long."""
    full = dict(os.environ, LC_ALL='C.UTF-8', ASAN_OPTIONS=f'exitcode={REPORT}', UBSAN_OPTIONS=f'exitcode={REPORT}:print_stacktrace=1',
                TSAN_OPTIONS=f'exitcode={REPORT}:history_size=7')
    full.update(env or {})
    try:
        r = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                           timeout=timeout, env=full, cwd=ROOT, **more)
        return r.returncode, r.stdout
    except subprocess.TimeoutExpired as e:
        return None, e.stdout or b''


def first_difference(expected, got):
    e, g = expected.splitlines(), got.splitlines()
    for i in range(max(len(e), len(g))):
        a = e[i] if i < len(e) else b'(end)'
        b = g[i] if i < len(g) else b'(end)'
        if a != b:
            return f'line {i + 1}: expected {a[:300]!r}, got {b[:300]!r}'
    return 'no difference'


class Tests:
    def __init__(self, options):
        self.o = options
        self.builds = options.build.split(',')
        self.work = os.path.join(ROOT, 'build', 'tests')
        os.makedirs(self.work, exist_ok=True)
        self.oracle, self.lock = {}, threading.Lock()
        self.varying = set()    # what erl itself answers now one way and now another

    def mote(self, build):
        return os.path.join(ROOT, 'build', build, 'mote')

    def engines(self, build):
        """The ways to run a program in this build: name, arguments, environment."""
        ways = [('interp', [], {}), ('native', ['--native'], {})]
        if build == 'stress':
            ways = [(n + '-gc', a, {'MOTE_STRESS': 'collect'}) for n, a, _ in ways] + \
                   [(n + '-yield', a, {'MOTE_STRESS': 'yield'}) for n, a, _ in ways]
        return ways

    # --- kinds of tests: each yields (name, function that returns None, SKIPPED or a text that says what is wrong)

    def rooms(self):
        def check():
            status, out = run([sys.executable, 'tools/check_rooms.py'])
            return None if status == 0 else out.decode()
        yield 'rooms', check

    def lint(self):
        """What cppcheck and clang-format report; the compilers' part of `make lint` is in every build already (WERROR=1)."""
        def check():
            status, out = run(['make', '--no-print-directory', 'cppcheck', 'formatted'], 600)
            return None if status == 0 and not out else out.decode()
        if self.o.length != 'quick':
            yield 'lint', check

    def unit(self):
        for build in self.builds:
            if build == 'stress':
                continue
            def check(build=build):
                status, out = run([f'build/{build}/unit'], timeout=600)
                return None if status == 0 else out.decode(errors='replace')[-2000:]
            yield f'unit/{build}', check

    def models(self):
        def explore(path, flags, folder):
            for command in (['spin', *flags, '-a', path], ['gcc', '-w', '-O2', '-DSAFETY', '-o', 'pan', 'pan.c'], ['./pan', '-m1000000']):
                r = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1200, cwd=folder)
                if r.returncode != 0:
                    return r.stdout.decode()
            return r.stdout.decode()

        def check(path):
            sizes = [f'-D{name}={self.size(1, 1, 2)}' for name in ('MESSAGES', 'REQUESTS')]
            with tempfile.TemporaryDirectory() as d:
                out = explore(path, sizes, d)
                if 'errors: 0' not in out or 'too small' in out:
                    return out
                for name in re.findall(r'^#ifndef (BROKEN\w*)', open(path).read(), re.M):
                    if 'assertion violated' not in explore(path, [*sizes, f'-D{name}'], d):
                        return f'the model does not see what is {name}'
                return None
        for path in sorted(glob.glob(os.path.join(ROOT, 'tests/model/*.pml'))):
            if self.o.length != 'quick':
                yield f'model/{os.path.basename(path)[:-4]}', lambda path=path: check(path)

    def expected(self, beam_dir, module, env, timeout):
        return self.once((module, tuple(sorted(env.items()))), lambda: self.on_erl(beam_dir, module, env, timeout))

    def on_erl(self, beam_dir, module, env, timeout):
        # -s, as on Mote, so that stack traces end where main/0 was called.
        return run(['erl', '-noshell', '-noinput', '+fnu', '-pa', beam_dir, '-eval', 'io:setopts([{encoding,unicode}])',
                    '-s', module, 'main', '-s', 'erlang', 'halt'], timeout, env)

    def once(self, key, make):
        """What make() gives; whoever else asks for the same waits for it."""
        with self.lock:
            event = self.oracle.get(key)
            mine = event is None
            if mine:
                event = self.oracle[key] = [threading.Event(), None]
        if mine:
            try:
                event[1] = make()
            finally:
                event[0].set()
        event[0].wait()
        return event[1]

    def programs(self):
        sources = sorted(glob.glob(os.path.join(ROOT, 'tests/erl/*.erl')))
        for path in sources:
            module = os.path.basename(path)[:-4]
            for build in self.builds:
                for way, args, env in self.engines(build):
                    def check(module=module, build=build, args=args, env=env):
                        return self.compare(module, build, args, env, {'SHRINK': str(SHRINK[build])})
                    yield f'erl/{module}/{build}/{way}', check

    def library(self):
        """Erlang's own code, mostly: the release build says nearly all, the sanitizer's the rest."""
        for path in sorted(glob.glob(os.path.join(ROOT, 'tests/library/*.*'))):
            name, kind = os.path.splitext(os.path.basename(path))
            for build in self.builds:
                for way, args, env in self.engines(build) if build == 'release' else self.engines(build)[:1] if build == 'sanitize' else []:
                    def check(path=path, build=build, args=args, env=env, module=name if kind == '.erl' else 'expressions'):
                        return self.compare(module, build, args, env, {'FILE': path})
                    yield f'library/{name}/{build}/{way}', check

    def compare(self, module, build, args, env, seed, timeout=300):
        beams = os.path.join(self.work, 'erl')
        status, expected = self.expected(beams, module, seed, timeout)
        if status != 0:
            return f'erl itself: status {status}: {expected[-500:]!r}'
        got = run([self.mote(build)] + args + ['-pa', beams, '-s', module, 'main'], timeout, dict(env, **seed))
        return self.judge(module, (0, expected), got, lambda: self.on_erl(beams, module, seed, timeout))

    def judge(self, name, expected, got, again):
        """None if got, a status and what was printed, is what erl says, or says when it is asked again: where erl's own schedulers decide
        which of two answers comes, both are right. Which tests those are is told at the end."""
        if got == expected:
            return None
        if any(again() == got for _ in range(2)):
            self.varying.add(name)
            return None
        return f'status {got[0]} instead of {expected[0]}, ' + first_difference(expected[1], got[1])

    def size(self, quick, normal, long, variable=None):
        """By the length of the run; the environment may say otherwise."""
        said = os.environ.get(variable) if variable else None
        return int(said) if said else {'quick': quick, 'normal': normal, 'long': long}[self.o.length]

    def random(self):
        count = self.size(300, 2000, 100000, 'COUNT')
        for path in sorted(glob.glob(os.path.join(ROOT, 'tests/random/*.erl'))):
            module = os.path.basename(path)[:-4]
            for build in self.builds:
                for way, args, env in self.engines(build):
                    n = count if build == 'release' else count // 10
                    def check(module=module, build=build, args=args, env=env, n=n):
                        seed = {'SEED': os.environ.get('SEED', '1'), 'COUNT': str(n)}
                        return self.compare(module, build, args, env, seed, 3000)
                    yield f'random/{module}/{build}/{way}', check

    def threads(self):
        for path in sorted(glob.glob(os.path.join(ROOT, 'tests/threads/*.erl'))):
            module = os.path.basename(path)[:-4]
            for build in self.builds:
                for way, args, env in self.engines(build):
                    def check(module=module, build=build, args=args, env=env):
                        seed = {'ROUNDS': str(self.size(40, 300, 10000) // SHRINK[build]), 'SHRINK': str(SHRINK[build])}
                        more = {'MOTE_SCHEDULERS': '4'}
                        if module == 'dying': # prints the same however long it runs
                            more['SECONDS'] = str(self.size(1, 5, 600, 'STRESS_SECONDS'))
                        elif module == 'many_messages':
                            messages = self.size(200000, 1000000, 100000000, 'MESSAGES')
                            seed |= {'MESSAGES': str(messages // SHRINK[build]), 'PROCESSES': str(self.size(100, 1000, 10000))}
                        return self.compare(module, build, args, dict(env, **more), seed, 3000)
                    yield f'threads/{module}/{build}/{way}', check

    def fixtures(self):
        for expected in sorted(glob.glob(os.path.join(ROOT, 'tests/fixtures/*/*.out'))):
            folder, module = os.path.dirname(expected), os.path.basename(expected)[:-4]
            for build in self.builds:
                for way, args, env in self.engines(build):
                    def check(folder=folder, module=module, build=build, args=args, env=env, expected=expected):
                        status, out = run([self.mote(build)] + args + ['-pa', folder, '-s', module, 'main'], 120, env)
                        want = open(expected, 'rb').read()
                        return None if out == want and status == 0 else f'status {status}, ' + first_difference(want, out)
                    yield f'fixtures/{os.path.basename(folder)}/{module}/{build}/{way}', check

    def commands(self):
        for path in sorted(glob.glob(os.path.join(ROOT, 'tests/command/*.sh'))):
            for build in self.builds:
                if build == 'stress':
                    continue
                yield f'command/{os.path.basename(path)[:-3]}/{build}', lambda path=path, build=build: self.command(path, build)

    def command(self, path, build):
        with tempfile.TemporaryDirectory() as d:
            status, out = run(['sh', path], 600, {'MOTE': self.mote(build), 'WORK': d, 'LENGTH': self.o.length})
        if status == 77:
            return SKIPPED
        return None if status == 0 and not out else f'status {status}: {out.decode(errors="replace")[-1500:]}'

    def parts(self):
        """The objects are those of the release build: only the table of built-ins is made again, and all is linked."""
        if 'release' not in self.builds:
            return

        def make(*words):
            return self.once(words, lambda: run(['make', '-s', '--no-print-directory', 'WERROR=1', *words], 600))

        def built_in(executable, sources):
            """Those of the sources' built-ins that there are."""
            names = [(m, f, a) for m, f, _, a, path in gen_atoms.collect()[4] if path in sources]
            list_ = ','.join(f"{{'{m}','{f}',{a}}}" for m, f, a in names)
            status, out = run([executable, '-e', f'[X || {{M, F, A}} = X <- [{list_}], erlang:is_builtin(M, F, A)]'])
            return out.decode() if status == 0 else f'status {status}: {out}'

        def check_without(word):
            status, out = make(word, 'stripped')
            if status != 0:
                return out.decode(errors='replace')
            size, stripped = out.split()
            sources = make(word, 'parts')[1].decode().split()
            left = built_in(stripped.decode(), sources)
            if left != '[]\n':
                return f'built-ins that are there: {left}'
            if word == 'CORE=1' and built_in(self.mote('release'), sources).count('{') < 50:
                return 'built-ins of the parts are not in the whole either'
            if word == 'CORE=1' and int(size) > CORE_SIZE:
                return f'{int(size)} bytes, more than {CORE_SIZE}'
            with tempfile.TemporaryDirectory() as d:
                status, out = run(['erlc', '-o', d, 'examples/hello.erl'])
                status, out = run([stripped.decode(), f'{d}/hello.beam']) if status == 0 else (status, out)
            return None if (status, out) == (0, b'Hello, world!\nReturn value: ok\n') else f'status {status}: {out}'

        def check_core(check):
            status, out = make('CORE=1', 'stripped')
            return check() if status == 0 else out.decode(errors='replace')

        def check_allocator():
            status, out = make('MALLOC=mimalloc')
            if status != 0:
                return out.decode(errors='replace')
            executable, with_it = self.mote('release').replace('build/release', 'build/release-mimalloc'), b'libmimalloc.so'
            if with_it not in run(['ldd', executable])[1]:
                return 'not linked'
            status, out = run([executable, '-e', 'length([spawn(fun() -> X end) || X <- lists:seq(1, 10000)])'], env={'MOTE_SCHEDULERS': '2'})
            return None if (status, out) == (0, b'10000\n') else f'status {status}: {out}'

        yield 'parts/mimalloc', check_allocator
        yield 'parts/core', lambda: check_without('CORE=1')
        if self.o.length != 'quick':
            for part in run(['make', '-s', '--no-print-directory', 'parts'])[1].decode().split():
                yield f'parts/{part}', lambda part=part: check_without(f'WITHOUT={part}')
        for path in sorted(glob.glob(os.path.join(ROOT, 'tests/erl/*.erl')) + glob.glob(os.path.join(ROOT, 'tests/command/*.sh'))):
            name, kind = os.path.splitext(os.path.basename(path))
            if name not in QUICK_CORE if self.o.length == 'quick' else name in BEYOND_CORE if kind == '.erl' else name not in CORE_COMMANDS:
                continue
            check = (lambda name=name: self.compare(name, 'release-core', [], {}, {'SHRINK': '1'})) if kind == '.erl' else \
                    (lambda path=path: self.command(path, 'release-core'))
            yield f'parts/core/{name}', lambda check=check: check_core(check)

    def otps(self):
        """The installed OTP, and those in the folder MOTE_OTPS (scripts/other-otps): version, folder or None."""
        others = os.environ.get('MOTE_OTPS', '')
        return [('', None)] + [(v, os.path.join(others, v)) for v in ('27', '29')]

    def boots(self):
        """Scripts that call erl, erlc, escript, elixir ...: what they print must be the same on Erlang's own machine and on Mote (in
        a folder made by `mote otp-dir`). Releases other than the installed one, and the native engine, with the release build only."""
        for path in sorted(glob.glob(os.path.join(ROOT, 'tests/boot/*.sh'))):
            name = os.path.basename(path)[:-3]
            if self.o.length != 'long' and name in (WHOLE_TOOLS if self.o.length == 'quick' else TERMINALS):
                continue
            for build in self.builds:
                if build == 'stress' or (build != 'release' and name in WHOLE_TOOLS):    # minutes, and the same code again
                    continue
                yield f'boot/{name}/{build}', lambda path=path, build=build: self.boot(path, build, {}, '', None)
                if build == 'release' and (name not in WHOLE_TOOLS or self.o.length == 'long'):
                    yield f'boot/{name}/native', lambda path=path: self.boot(path, 'release', {'MOTE_NATIVE': '1'}, '', None)
                if build == 'release':
                    for version, otp in self.otps()[1:]:
                        if os.path.exists(f'{otp}/bin/erl'):
                            yield f'boot/{name}/{version}', lambda path=path, v=version, o=otp: self.boot(path, 'release', {}, v, o)
        for version, otp in self.otps()[1:]:
            if not os.path.exists(f'{otp}/bin/erl'):
                yield f'boot/{version}', lambda: Skip('MOTE_OTPS names no folder of scripts/other-otps with this release')

    def boot(self, path, build, more, version, otp):
        folder = os.path.join(self.work, f'otp{version}-{build}')
        own = [] if otp is None else [os.path.join(otp, 'bin')]
        status, out = self.once(('otp-dir', folder), lambda: run([self.mote(build), 'otp-dir', folder],
                                                                 env={} if otp is None else {'MOTE_OTP': f'{otp}/lib/erlang'}))
        if status != 0:
            return f'otp-dir: status {status}: {out!r}'

        def here(first, more):
            with tempfile.TemporaryDirectory() as d:
                env = {'WORK': d, 'TESTS': os.path.dirname(path), 'LENGTH': self.o.length, 'PATH': ':'.join(first + own + [os.environ['PATH']])}
                status, out = run(['sh', path], 3000 if self.o.length == 'long' else 600, dict(env, **more))
                return status, out.replace(d.encode(), b'WORK')
        expected = self.once((path, version), lambda: here([], {}))
        if expected[0] == 77:
            return Skip(expected[1].decode().strip())
        got = here([os.path.join(folder, 'bin')], more)
        if got[0] == 77:
            return Skip(got[1].decode().strip())
        return self.judge(os.path.relpath(path, ROOT) + version, expected, got, lambda: here([], {}))

    def failing(self):
        """Every allocation that a program makes fails once, and once together with all that follow: its process may die of that, the
        VM may say that it cannot go on, and what is printed is right."""
        for path in sorted(glob.glob(os.path.join(ROOT, 'tests/failing/*.erl'))):
            module = os.path.basename(path)[:-4]
            for build in self.builds:
                for way, args in (('interp', []), ('native', ['--native'])):
                    def check(module=module, build=build, args=args):
                        return self.walk([self.mote(build)] + args + ['-pa', os.path.join(self.work, 'erl'), '-s', module, 'main'],
                                         self.size(10, 100, 5000) // (1 if build == 'release' else 2))
                    yield f'failing/{module}/{build}/{way}', check

    def walk(self, command, steps):
        status, good = run(command)
        if status != 0:
            return f'status {status}: {good[-500:]!r}'
        lines = good.splitlines()
        kinds = {line.split()[0] for line in lines}
        for after in ('', '+'):
            step, n, unharmed = 1, 0, 0
            while unharmed < 3:
                status, out = run(command, 60, {'MOTE_STRESS': f'fail:{n}{after}'})
                wrong = [line for line in out.splitlines() if line not in lines and len(line.split()) == 2 and line.split()[0] in kinds]
                if status not in (0, 1) or wrong or not out:
                    return f'MOTE_STRESS=fail:{n}{after}: status {status}, {wrong}: {out[-1500:].decode(errors="replace")}'
                unharmed = unharmed + 1 if out == good else 0
                n += step
                step = max(1, n * 5 // steps)
        return None

    def sources(self):
        """The modules of stdlib and compiler that are compiled on Mote."""
        found = []
        root = subprocess.run(['erl', '-noshell', '-eval', 'io:put_chars(code:lib_dir()), halt().'], stdout=subprocess.PIPE).stdout.decode()
        for application in ('stdlib', 'compiler'):
            found += sorted(glob.glob(f'{root}/{application}-*/src/*.erl'))
        if len(found) < 100:
            sys.exit(f'{root}: the sources of stdlib and compiler are not there (package erlang-src)')
        if self.o.length == 'long':
            return [found[i::16] for i in range(16)]
        named = 'dict ets queue timer erl_internal beam_z cerl_clauses core_lib rec_env sys_core_alias'.split()
        named = [f for f in found if os.path.basename(f)[:-4] in named]
        return [named[:5], named[5:]] if self.o.length == 'normal' else [named[:1]]

    def compiler(self):
        """Erlang's compiler on Mote makes the same bytes as on erl, of the same source."""
        for number, batch in enumerate(self.sources()):
            for build in self.builds:
                for way, args, env in self.engines(build):
                    # Under stress one small module has to do.
                    files = batch if SHRINK[build] == 1 else batch[-1:]
                    if (build == 'sanitize' and way == 'native' or build == 'stress') and number > 0:
                        continue
                    def check(files=files, build=build, args=args, env=env):
                        out, expected = b'', b''
                        for f in files:
                            status, text = self.digest(f)
                            expected += text
                        status, out = run([self.mote(build)] + args + ['-s', 'mote_compile', 'digests'] + files, 3000, env)
                        if status != 0 or out != expected:
                            return f'status {status}, ' + first_difference(expected, out)
                        bad = [line for line in out.splitlines() if not re.fullmatch(rb'\S+\.erl [0-9a-f]{32}', line)]
                        return f'not compiled: {bad}' if bad else None
                    yield f'compiler/{number}/{build}/{way}', check

    def digest(self, source):
        return self.once(('digest', source), lambda: run(['erl', '-noshell', '-noinput', '+fnu', '-pa', os.path.join(self.work, 'erl'),
                                                          '-s', 'mote_compile', 'digests', source, '-s', 'erlang', 'halt'], 600))

    def mutated(self):
        """Files whose mutants are run, made by erl if they are not there yet."""
        folder = os.path.join(self.work, 'mutants')
        copies = [os.path.join(folder, f'{m}_copy.beam') for m in MUTATED_LIBRARY]
        if not all(os.path.exists(c) for c in copies):
            os.makedirs(folder, exist_ok=True)
            status, text = run(['erl', '-noshell', '-noinput', '-pa', os.path.join(self.work, 'erl'), '-s', 'mutants', 'prepare', folder] +
                               MUTATED_LIBRARY + ['-s', 'erlang', 'halt'], 300)
            if status != 0:
                sys.exit(text.decode(errors='replace'))
        return copies + [os.path.join(ROOT, p) for p in MUTATED_PROGRAMS]

    def mutants(self):
        """One to eight bytes of modules and packs are changed; what the VM accepts, it runs."""
        files = self.mutated()
        for build in self.builds:
            modules, packs = (max(5, self.size(5, 400, long, 'MUTANTS') // (1 if build == 'release' else 4)) for long in (5000, 50000))
            for way, args in (('interp', []), ('native', ['--native'])):
                for file in files:
                    name = file.split('/')[-2] + '_' + os.path.basename(file)[:-5] if 'fixtures' in file else os.path.basename(file)[:-5]
                    def check(file=file, build=build, args=args, count=modules):
                        return self.mutate_module(file, build, args, count)
                    yield f'mutants/{name}/{build}/{way}', check
            for number in range(MUTATED_PACKS):
                def check(number=number, build=build, count=packs):
                    return self.mutate_pack(files[number::7], build, count, number)
                yield f'mutants/pack{number}/{build}', check

    def mutate_module(self, file, build, args, count):
        """In lots, a VM each: atoms stay as long as it does."""
        seed = int(os.environ.get('SEED', '1'))
        for first in range(0, count, 1000):
            n = min(1000, count - first)
            status, out = run([self.mote(build)] + args + ['-pa', os.path.join(self.work, 'erl'), '-run', 'mutants', 'main', file,
                                                           str(seed + first), str(n)], 600)
            last = out.splitlines()[-1:] or [b'']
            if status != 0 or f': {n} ['.encode() not in last[0]:
                return f'SEED={seed + first} COUNT={n}: status {status}: {out[-2000:].decode(errors="replace")}'
        return None

    def mutate_pack(self, files, build, count, number):
        """A pack needs a process for each mutant."""
        chance = random.Random(number + int(os.environ.get('SEED', '1')))
        with tempfile.TemporaryDirectory() as d:
            good, bad = os.path.join(d, 'good.avm'), os.path.join(d, 'bad.avm')
            start = os.path.join(self.work, 'erl', 'pack_start.beam')
            status, out = run([self.mote(build), 'pack', 'create', '--lines', good, start] + files)
            if status != 0:
                return out.decode(errors='replace')
            content = open(good, 'rb').read()
            for i in range(count):
                mutant = bytearray(content)
                for _ in range(chance.randint(1, 8)):
                    # Half of them near the start: headers and the module that is run.
                    at = chance.randrange(len(mutant) if chance.random() < 0.5 else min(1500, len(mutant)))
                    mutant[at] = chance.randrange(256)
                with open(bad, 'wb') as f:
                    f.write(mutant)
                for command in ([self.mote(build), bad], [self.mote(build), 'verify', bad]):
                    status, out = run(command, 20)
                    if status is None or status < 0 or status == REPORT:
                        kept = os.path.join(self.work, f'mutant{number}_{i}.avm')
                        os.replace(bad, kept)
                        return f'{kept}: status {status}: {out[-2000:].decode(errors="replace")}'
        return None

    def soak(self):
        """Under sanitizers, too, which hold on to little of what has been freed here, so that what the system counts can be looked at."""
        seconds = self.size(0, 20, 1800, 'SOAK_SECONDS')
        for build in self.builds:
            if build == 'stress' or seconds == 0:
                continue
            def check(schedulers, build=build):
                with tempfile.TemporaryDirectory() as d:
                    env = {'SOAK_SECONDS': str(seconds), 'WORK': d, 'ASAN_OPTIONS': f'exitcode={REPORT}:quarantine_size_mb=8', 'MOTE_SCHEDULERS': schedulers}
                    status, out = run([self.mote(build), 'erl', '-noshell', '-noinput', '-pa', os.path.join(self.work, 'erl'), '-s', 'soak', 'main'],
                                      3 * seconds + 300, env)
                return None if status == 0 and out.endswith(b'\nflat\n') else f'status {status}: {out.decode(errors="replace")[-3000:]}'
            yield f'soak/{build}', lambda check=check: check('1')
            yield f'soak-schedulers/{build}', lambda check=check: check('4')

    def fuzz(self):
        seconds = self.size(2, 10, 600, 'FUZZ_SECONDS')
        for path in sorted(glob.glob(os.path.join(ROOT, 'tests/fuzz/fuzz_*.c'))):
            name = os.path.basename(path)[:-2]
            def check(name=name):
                binary = f'build/fuzz/{name}'
                if not os.path.exists(os.path.join(ROOT, binary)):
                    return SKIPPED if self.o.length == 'quick' else f'{binary} is not there: make fuzzers'
                found = f'tests/fuzz/found/{name}'
                corpus = os.path.join(self.work, name)
                os.makedirs(corpus, exist_ok=True)
                seeds = [d for d in (f'tests/fuzz/seeds/{name}', found) if os.path.isdir(os.path.join(ROOT, d))]
                status, out = run([binary, f'-max_total_time={seconds}', '-rss_limit_mb=2048', '-timeout=10', '-print_final_stats=0',
                                   f'-artifact_prefix={self.work}/', corpus] + seeds, seconds + 120)
                return None if status == 0 else out.decode(errors='replace')[-2000:]
            yield f'fuzz/{name}', check

    def conformance(self):
        if self.o.length == 'quick' or 'release' not in self.builds:
            return
        short = [] if self.o.length == 'long' else ['--short']
        status, out = run(['scripts/otp-suites', 'suites'] + short)
        if status != 0:
            yield 'conformance', lambda: Skip(out.decode().strip())
            return
        for suite in out.decode().split():
            def check(suite=suite):
                status, out = run(['scripts/otp-suites', 'run', '-j1', '--exact', '--vm', self.mote('release'), suite], 7200)
                return None if status == 0 else out.decode(errors='replace')[-3000:]
            yield f'conformance/{suite}', check

    def compile_programs(self):
        """All programs at once; erlc is slow to start."""
        out = os.path.join(self.work, 'erl')
        os.makedirs(out, exist_ok=True)
        sources = sorted(f for folder in ('erl', 'library', 'random', 'threads', 'failing', 'lib', 'soak') for f in glob.glob(os.path.join(ROOT, f'tests/{folder}/*.erl')))
        sources.append(os.path.join(ROOT, 'lib/mote_compile.erl'))
        stale = [s for s in sources if not os.path.exists(b := os.path.join(out, os.path.basename(s)[:-4] + '.beam'))
                 or os.path.getmtime(b) < os.path.getmtime(s)]
        if stale:
            status, text = run(['erlc', '+debug_info', '-W0', '-o', out] + stale, 600)
            if status != 0:
                sys.exit(text.decode(errors='replace'))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--long', dest='length', action='store_const', const='long', default='normal')
    p.add_argument('--quick', dest='length', action='store_const', const='quick')
    p.add_argument('--build', default='release')
    p.add_argument('--only', default='rooms,lint,unit,models,programs,library,threads,random,fixtures,commands,parts,boots,failing,compiler,mutants,soak,fuzz,conformance')
    p.add_argument('-j', '--jobs', type=int, default=(os.cpu_count() or 2) + 2)    # two of them usually wait
    p.add_argument('-v', '--verbose', action='store_true', help='with -j 1 the seconds are those of CPU')
    p.add_argument('words', nargs='*')
    o = p.parse_args()
    t = Tests(o)
    t.compile_programs()
    cases = [c for kind in o.only.split(',') for c in getattr(t, kind)()]
    cases = [c for c in cases if all(w in c[0] for w in o.words)]
    passed = failed = skipped = 0
    start = time.time()

    def clock():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime if o.jobs == 1 else time.time()

    def one(case):
        began = clock()
        try:
            return case[0], case[1](), clock() - began
        except Exception as e:  # a broken test is a failed test
            return case[0], f'{type(e).__name__}: {e}', clock() - began

    with concurrent.futures.ThreadPoolExecutor(max_workers=o.jobs) as pool:
        for name, result, seconds in pool.map(one, cases):
            if result is None:
                passed += 1
                if o.verbose:
                    print(f'ok   {name} ({seconds:.1f} s)', flush=True)
            elif result is SKIPPED or isinstance(result, Skip):
                skipped += 1
                print(f'skip {name}' + (f' ({result})' if isinstance(result, Skip) else ''), flush=True)
            else:
                failed += 1
                print(f'FAIL {name} ({seconds:.1f} s)\n     ' + result.strip().replace('\n', '\n     '), flush=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    if t.varying:
        print('erl itself answers now one way and now another: ' + ', '.join(sorted(t.varying)))
    print(f'{time.time() - start:.0f} seconds, {used.ru_utime + used.ru_stime:.0f} of CPU')
    print(f'{passed} passed, {failed} failed, {skipped} skipped', flush=True)
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
