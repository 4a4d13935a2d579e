#!/usr/bin/env python3
"""Runs Mote's tests and closes with `N passed, N failed, N skipped`.

    tests/run.py [--long] [--quick] [--build release,sanitize,stress] [WORD...]

Tests are found by their place:
  tests/unit/*.c            C tests of single rooms (a runner per build)
  tests/erl/*.erl           programs: what main/0 prints on Mote must be what it prints on Erlang/OTP, in every engine and build
  tests/random/*.erl        the same with random programs and terms: main/0 takes a seed and a count from the environment
  tests/fixtures/*/         .beam files of other compilers, with the output that their own release printed (see its README)
  tests/command/*.sh        the command line: each prints nothing and exits 0, or says what is wrong
  tests/boot/*.sh           an installed OTP and Elixir on Mote: the same output as on Erlang's own machine
  tests/fuzz/*.c            fuzz targets (clang), a short run each
WORD selects tests whose name contains it."""
import argparse, concurrent.futures, glob, os, subprocess, sys, tempfile, threading, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIPPED = 'skipped'

# Defects that are known and not repaired yet, by words in a test's name: shown as skipped, with the reason. A row leaves
# with the defect.
KNOWN_DEFECTS = {
}


def run(command, timeout=120, env=None, **more):
    """Returns (status, output); status None: it took too long."""
    full = dict(os.environ, LC_ALL='C.UTF-8', **(env or {}))
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

    def unit(self):
        for build in self.builds:
            if build == 'stress':
                continue
            def check(build=build):
                status, out = run([f'build/{build}/unit'], timeout=600)
                return None if status == 0 else out.decode(errors='replace')[-2000:]
            yield f'unit/{build}', check

    def expected(self, beam_dir, module, env, timeout):
        key = (module, tuple(sorted(env.items())))
        with self.lock:
            event = self.oracle.get(key)
            mine = event is None
            if mine:
                event = self.oracle[key] = [threading.Event(), None]
        if mine:
            # -s, as on Mote, so that stack traces end where main/0 was called.
            event[1] = run(['erl', '-noshell', '-noinput', '+fnu', '-pa', beam_dir, '-eval', 'io:setopts([{encoding,unicode}])',
                            '-s', module, 'main', '-s', 'erlang', 'halt'], timeout, env)
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
                        return self.compare(module, build, args, env, {})
                    yield f'erl/{module}/{build}/{way}', check

    def compare(self, module, build, args, env, seed, timeout=300):
        beams = os.path.join(self.work, 'erl')
        status, expected = self.expected(beams, module, seed, timeout)
        if status != 0:
            return f'erl itself: status {status}: {expected[-500:]!r}'
        status, out = run([self.mote(build)] + args + ['-pa', beams, '-s', module, 'main'], timeout, dict(env, **seed))
        if out != expected:
            return f'status {status}, ' + first_difference(expected, out)
        return None if status == 0 else f'status {status}'

    def random(self):
        count = {'quick': 300, 'normal': 2000, 'long': 100000}[self.o.length]
        for path in sorted(glob.glob(os.path.join(ROOT, 'tests/random/*.erl'))):
            module = os.path.basename(path)[:-4]
            for build in self.builds:
                for way, args, env in self.engines(build):
                    n = count if build == 'release' else count // 10
                    def check(module=module, build=build, args=args, env=env, n=n):
                        seed = {'SEED': os.environ.get('SEED', '1'), 'COUNT': str(n)}
                        return self.compare(module, build, args, env, seed, 3000)
                    yield f'random/{module}/{build}/{way}', check

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
                def check(path=path, build=build):
                    with tempfile.TemporaryDirectory() as d:
                        status, out = run(['sh', path], 600, {'MOTE': self.mote(build), 'WORK': d, 'LENGTH': self.o.length})
                    if status == 77:
                        return SKIPPED
                    return None if status == 0 and not out else f'status {status}: {out.decode(errors="replace")[-1500:]}'
                yield f'command/{os.path.basename(path)[:-3]}/{build}', check

    def boots(self):
        """Scripts that call erl, erlc, escript, elixir ...: what they print must be the same when these are the installed ones
        and when they run on Mote (in a folder made by `mote otp-dir`)."""
        for path in sorted(glob.glob(os.path.join(ROOT, 'tests/boot/*.sh'))):
            for build in self.builds:
                if build != 'stress':
                    yield f'boot/{os.path.basename(path)[:-3]}/{build}', lambda path=path, build=build: self.boot(path, build)

    def boot(self, path, build):
        folder = os.path.join(self.work, f'otp-{build}')
        with self.lock:
            status, out = run([self.mote(build), 'otp-dir', folder])
        if status != 0:
            return f'otp-dir: status {status}: {out!r}'
        results = []
        for bin_dir in None, os.path.join(folder, 'bin'):
            with tempfile.TemporaryDirectory() as d:
                env = {'WORK': d, 'TESTS': os.path.dirname(path)}
                if bin_dir is not None:
                    env['PATH'] = bin_dir + ':' + os.environ['PATH']
                status, out = run(['sh', path], 300, env)
                results.append((status, out.replace(d.encode(), b'WORK')))
        if results[0][0] == 77:
            return SKIPPED
        (status, expected), (got_status, got) = results
        return None if results[0] == results[1] else f'status {got_status} instead of {status}, ' + first_difference(expected, got)

    def fuzz(self):
        seconds = {'quick': 2, 'normal': 15, 'long': 600}[self.o.length]
        for path in sorted(glob.glob(os.path.join(ROOT, 'tests/fuzz/fuzz_*.c'))):
            name = os.path.basename(path)[:-2]
            def check(name=name):
                binary = f'build/fuzz/{name}'
                if not os.path.exists(os.path.join(ROOT, binary)):
                    return SKIPPED
                found = f'tests/fuzz/found/{name}'
                corpus = os.path.join(self.work, name)
                os.makedirs(corpus, exist_ok=True)
                seeds = [d for d in (f'tests/fuzz/seeds/{name}', found) if os.path.isdir(os.path.join(ROOT, d))]
                status, out = run([binary, f'-max_total_time={seconds}', '-rss_limit_mb=2048', '-timeout=10', '-print_final_stats=0',
                                   f'-artifact_prefix={self.work}/', corpus] + seeds, seconds + 120)
                return None if status == 0 else out.decode(errors='replace')[-2000:]
            yield f'fuzz/{name}', check

    def compile_programs(self):
        """All programs at once; erlc is slow to start."""
        out = os.path.join(self.work, 'erl')
        os.makedirs(out, exist_ok=True)
        sources = sorted(glob.glob(os.path.join(ROOT, 'tests/erl/*.erl')) + glob.glob(os.path.join(ROOT, 'tests/random/*.erl')) +
                         glob.glob(os.path.join(ROOT, 'tests/lib/*.erl')))
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
    p.add_argument('--only', default='rooms,unit,programs,random,fixtures,commands,boots,fuzz')
    p.add_argument('-v', '--verbose', action='store_true')
    p.add_argument('words', nargs='*')
    o = p.parse_args()
    t = Tests(o)
    t.compile_programs()
    cases = [c for kind in o.only.split(',') for c in getattr(t, kind)()]
    cases = [c for c in cases if all(w in c[0] for w in o.words)]
    passed = failed = skipped = 0
    start = time.time()

    def one(case):
        began = time.time()
        if case[0] in KNOWN_DEFECTS and o.length != 'long':
            print(f'known defect: {case[0]}: {KNOWN_DEFECTS[case[0]]}', flush=True)
            return case[0], SKIPPED, 0.0
        try:
            return case[0], case[1](), time.time() - began
        except Exception as e:  # a broken test is a failed test
            return case[0], f'{type(e).__name__}: {e}', time.time() - began

    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        for name, result, seconds in pool.map(one, cases):
            if result is None:
                passed += 1
                if o.verbose:
                    print(f'ok   {name} ({seconds:.1f} s)', flush=True)
            elif result is SKIPPED:
                skipped += 1
                print(f'skip {name}', flush=True)
            else:
                failed += 1
                print(f'FAIL {name} ({seconds:.1f} s)\n     ' + result.strip().replace('\n', '\n     '), flush=True)
    print(f'{time.time() - start:.0f} seconds')
    print(f'{passed} passed, {failed} failed, {skipped} skipped', flush=True)
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
