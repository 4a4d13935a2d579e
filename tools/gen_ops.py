"""Reads src/code/ops.tab and writes what both engines and the rewriter are made of:

   gen/ops.h         numbers of instructions (OP_name) and of the interpreter's variants
   gen/ops.inc       their operands, variants, fusion rules: tables for the emitter and the disassembler
   gen/rules.inc     the rewrite rules: tables for the rewriter
   gen/handlers.inc  the bodies as handlers of the interpreter

and the part of docs/instructions.md between its marks.
"""
import itertools, os, re, sys

from gen_atoms import write_if_changed

LAID_OUT = 'xyisrvnfehpl'  # kinds that take a unit; j and N do not
VALUES, REGISTERS = set('xyisr'), set('xyr')


class Op:
    def __init__(self, name, args, flag, body, doc):
        self.name, self.args, self.flag, self.body, self.doc, self.parts = name, args, flag, body, doc, None
        self.first = None

    def variants(self):
        """By operand a letter; letters that native code alone reads stay as they are."""
        return [''.join(v) for v in itertools.product(*[k for _, k in self.args])]


def fail(text):
    sys.exit('ops.tab: ' + text)


def read(path='src/code/ops.tab'):
    lines = open(path).read().split('\n')
    ops, fuses, rules = {}, [], []
    i, comment = 0, ''
    while i < len(lines):
        line = re.sub(r'#.*', '', lines[i]).rstrip()
        i += 1
        if not line.strip():
            text = lines[i - 1]
            comment = f'{comment} {text[1:].strip()}'.strip() if text.startswith('# ') and not text.startswith('# ---') else ''
            continue
        doc, comment = comment, ''
        while ('{' in line and '}' not in line) or line.endswith('|') or line.endswith('=>\\'):
            line += '\n' + re.sub(r'#.*', '', lines[i]).rstrip()
            i += 1
        if line.startswith('op '):
            m = re.match(r'op (\w+)\(([^)]*)\)\s*(native|interp|pseudo|as \w+)?\s*(?:\{(.*)\})?\s*$', line, re.S)
            if not m:
                fail('cannot read: ' + line)
            args = [tuple(a.strip().split(':')) for a in m[2].split(',') if a.strip()]
            flag, body = m[3], m[4]
            if flag and flag.startswith('as '):
                body, flag = ops[flag[3:]].body, None
            if m[1] in ops:
                fail('twice: ' + m[1])
            ops[m[1]] = Op(m[1], args, flag, body, doc)
        elif line.startswith('fuse '):
            m = re.match(r'fuse (\w+)\(([^)]*)\)\s*=\s*(.*)$', line, re.S)
            parts = [(p, [v.strip() for v in a.split(',') if v.strip()]) for p, a in re.findall(r'(\w+)\(([^)]*)\)', m[3])]
            want = dict((a.strip() + ':').split(':')[:2] for a in m[2].split(',') if a.strip())
            for p, vs in parts:
                if len(vs) != len(ops[p].args):
                    fail(f'fuse {m[1]}: {p} has {len(ops[p].args)} operands')
                for v, (_, k) in zip(vs, ops[p].args):
                    want.setdefault(v, '')
                    want[v] = want[v] or k
            f = Op(m[1], list(want.items()), 'interp', None, None)
            f.parts = parts
            ops[m[1]] = f
            fuses.append(f)
        elif '=>' in line:
            rules.append(line)
        else:
            fail('cannot read: ' + line)
    return ops, fuses, rules


# --- checks of bodies ---------------------------------------------------------------------------------------------------

def statements(body):
    """Splits at ; outside of parentheses, and at the label slow:."""
    out, depth, at = [], 0, ''
    for c in body:
        if c == '(':
            depth += 1
        if c == ')':
            depth -= 1
        at += c
        if (c == ';' and depth == 0) or at.strip() == 'slow:':
            out.append(at.strip())
            at = ''
    if at.strip():
        out.append(at.strip())
    return out


def check(op):
    if op.body is None:
        return
    held, stale, written = set(), set(), False
    for s in statements(op.body):
        if s == 'slow:':
            stale, written = set(), False
            continue
        for name in re.findall(r'\b\w+\b', s):
            if name in stale:
                fail(f'{op.name}: `{name}` is used after a put or a collection')
        if written and re.search(r'\bget\(', s):
            fail(f'{op.name}: reads after the first put')
        m = re.match(r'hold\((\w+)', s)
        if m:
            held.add(m[1])
            stale.discard(m[1])
        if re.match(r'(need|room)\(', s):
            stale |= held
        if re.match(r'(put|put2)\(', s):
            written = True
            stale |= held
    if 'slow:' in op.body:
        last = statements(op.body)[-1]
        if not re.match(r'(put|put2|fput|unless_\w+|raise_c|go)\(', last):
            fail(f'{op.name}: the slow part ends in `{last}`')


# --- the C reading ------------------------------------------------------------------------------------------------------

def substitute(body, names):
    return re.sub(r'\b[A-Za-z_]\w*\b', lambda m: names.get(m.group(0), m.group(0)), body)


def c_names(op_args, env, uid):
    names = {a: env[a] for a, _ in op_args}
    names.update({f'X{k}': f'X,{k}' for k in range(4)})
    names['slow'] = f'L,slow_{uid}'
    names['no_fail'] = 'j,0'
    return names


# How arithmetic ends that is not of small integers: all handlers of whole instructions share one copy of it.
SLOW_GUARD = re.compile(r'slow:\s*room\(num\(live\)\);\s*put\(d, guard_c\(no, bif, get\(l\), get\(r\)\)\);\s*$')

# A need with nothing but tests before it.
NEED_FIRST = re.compile(r'^((?:(?!\b(?:put|put2|fput|store|frame|unframe|clear|heap_\w+|\w+_c|\w+_or|call\w*|tail\w*|wait\w*|leave|catch\w*|raise\w*|need|room)\().)*?)\bneed\(')


def c_body(op, env, uid, whole=False):
    text = SLOW_GUARD.sub('slow: slow_guard(d, bif, l, r, live);', op.body) if whole and ('no', 'j') in op.args else op.body
    has_slow = 'slow:' in text
    if has_slow:
        text = text.replace('slow:', 'SLOW_LABEL').replace('done;', f'goto done_{uid};')
    text = substitute(text, c_names(op.args, env, uid)).replace('SLOW_LABEL', f'slow_{uid}:;')
    text = ' '.join(text.split())
    return '{ ' + text + (f' }} done_{uid}:;' if has_slow else ' }')


def layout(args, kinds):
    """Operand name -> 'kind,unit'; and how many units the instruction takes."""
    env, unit = {}, 1
    for (a, _), k in zip(args, kinds):
        if k in LAID_OUT:
            env[a] = f'{k},{unit}'
            unit += 1
        else:
            env[a] = f'{k},0'
    return env, unit


def handler(ops, op, kinds):
    env, units = layout(op.args, kinds)
    uid = f'{op.name}_{kinds}'
    if op.parts:
        text = ''
        for j, (p, vs) in enumerate(op.parts):
            sub = {a: env[v] for v, (a, _) in zip(vs, ops[p].args)}
            text += c_body(ops[p], sub, f'{uid}_{j}')
    else:
        text = c_body(op, env, uid, whole=True)
    text = NEED_FIRST.sub(r'\1need_first(', text)
    list_at = next((e.split(',')[1] for e in env.values() if e.startswith('l,')), None)
    extra = f' + ip[{list_at}]' if list_at else ''
    return f'HANDLER({uid}, {units}) {text} NEXT({units}{extra})'


# --- rewrite rules ------------------------------------------------------------------------------------------------------

# Kinds in patterns, as the bits of rewrite.c's kind_bit; 's' is any.
KIND_BITS = {'x': 'K(X)', 'y': 'K(Y)', 'r': 'K(X) | K(Y)', 'c': 'K(TERM) | K(LITERAL)', 'i': 'K(TERM)', 'q': 'K(LITERAL)', 'j': 'K(NONE)',
             'f': 'K(LABEL)', 'v': 'K(F)'}


def generic_arities(path='src/code/generic.tab'):
    return {m[1]: int(m[2]) for m in re.finditer(r'^\s*\d+\s+(\w+)/(\d+)', open(path).read(), re.M)}


def operand_setter(kinds):
    k = set(kinds)
    if k & VALUES:
        return 'value'
    for letters, name in (('v', 'value'), ('nN', 'number_arg'), ('fj', 'label') if 'j' in k else ('f', 'sure_label'), ('e', 'callee'), ('h', 'handler'), ('l', 'list'), ('p', 'pointer')):
        if k & set(letters):
            return name
    fail('kinds ' + kinds)


def split_rule(text):
    left, right = text.split('=>')
    return [x.strip() for x in left.split('|')], [x.strip() for x in right.split('|') if x.strip()]


class Rules:
    """The rules as bytes that rewrite.c runs: a rule is its length, its conditions, and what it makes (see RuleStep there)."""

    def __init__(self, ops):
        self.ops, self.generic = ops, generic_arities()
        self.by_op, self.by_bif = {}, {}
        self.functions, self.setters, self.conditions = [], ['set_value'], [] # rewrite.c knows that set_value is first

    def add(self, text):
        left, right = split_rule(text)
        m = re.match(r'bif (\w+)/(\d)(.*)$', left[0])
        if m:
            self.by_bif.setdefault((int(m[2]), m[1]), []).append(self.bif_rule(int(m[2]), m[3].split(), left[1:], right))
        else:
            self.by_op.setdefault(left[0].split()[0], []).append(self.rule(left, right))

    @staticmethod
    def number(table, what):
        if what not in table:
            table.append(what)
        return str(table.index(what))

    @staticmethod
    def place(n, k):
        if n > 2 or k > 15:
            fail('a rule that looks too far')
        return f'AT({n}, {k})'

    def bind(self, tokens, place, env):
        """Gives names to operands; what that asks of them."""
        steps = []
        for k, t in enumerate(tokens):
            name, _, kinds = t.partition('=')
            if name in env:
                steps += ['RULE_SAME', env[name], place(k)]
            elif name != '_':
                env[name] = place(k)
            if kinds and 's' not in kinds:
                steps += ['RULE_KIND', place(k), ' | '.join(KIND_BITS[c] for c in kinds)]
        return steps

    def condition(self, text, env):
        m = re.match(r'(\w+)\(([^)]*)\)$', text)
        args = [env[a.strip()] for a in m[2].split(',')]
        return ['RULE_IF', self.number(self.conditions, 'rule_' + m[1]), args[0], args[-1]]

    def setter(self, token, kinds, env):
        m = re.match(r'(\w+)\(([^)]*)\)$', token)
        if re.match(r'\d+$', token):
            return ['SET_NUMBER', token]
        if not m:
            return [self.number(self.setters, 'set_' + operand_setter(kinds)), env[token]]
        args = [env[a.strip()] for a in m[2].split(',') if a.strip()]
        if len(args) == 2 and int(args[1][6:-1]) != int(args[0][6:-1]) + 1:
            fail(f'operands that do not follow each other: {token}')
        return [self.number(self.setters, 'make_' + m[1]), args[0] if args else '0']

    def output(self, right, env):
        steps = []
        for r in right:
            tokens = re.findall(r'\w+\([^)]*\)|\S+', r)
            if tokens[0] not in self.ops:
                fail('no such instruction: ' + tokens[0])
            op = self.ops[tokens[0]]
            if len(tokens) - 1 != len(op.args):
                fail(f'{tokens[0]} has {len(op.args)} operands: {r}')
            given = {}
            for k, (t, (_, kinds)) in enumerate(zip(tokens[1:], op.args)):
                if set(kinds) & VALUES and not set(kinds) & set('si') and t in env:
                    given[k] = f'GIVEN({len(given) + 1})'
                    steps += ['RULE_REGISTER', str(len(given)), env[t]]
            steps += ['RULE_INS', f'OP_{op.name}', str(len(op.args))]
            for k, (t, (_, kinds)) in enumerate(zip(tokens[1:], op.args)):
                steps += self.setter(t, kinds, dict(env, **{t: given[k]}) if k in given else env)
        return steps

    def rule(self, left, right):
        env, steps, n = {}, [], 0
        for part in left:
            if '(' in part:
                steps += self.condition(part, env)
                continue
            name, *tokens = part.split()
            if name not in self.generic:
                fail('no such generic instruction: ' + name)
            if len(tokens) != self.generic[name]:
                fail(f'{name} has {self.generic[name]} operands: {part}')
            if n:
                steps += ['RULE_NEXT', str(n), f'GEN_{name}']
            steps += self.bind(tokens, lambda k, n=n: self.place(n, k), env)
            n += 1
        if right and right[0].startswith('!'):
            return steps + ['RULE_CALL', self.number(self.functions, 'rewrite_' + right[0][1:])]
        return steps + self.output(right, env) + ['RULE_DONE', str(n)]

    def bif_rule(self, arity, tokens, conditions, right):
        if len(tokens) != arity + 3:
            fail(f'rule of a built-in with {arity} arguments: {tokens}')
        env = {}
        steps = self.bind(tokens, lambda k: self.place(0, k), env)
        for c in conditions:
            steps += self.condition(c, env)
        return steps + self.output(right, env) + ['RULE_DONE', '1']

    def text(self):
        out, places, at = [], {(): 0}, 1

        def run(rules):
            """Where these rules are; the same ones are there once."""
            nonlocal at
            key = tuple(map(tuple, rules))
            if key not in places:
                places[key] = at
                for r in rules:
                    out.append('    ' + ', '.join([str(len(r) + 1)] + r) + ',')
                    at += len(r) + 1
                out.append('    0,')
                at += 1
            return places[key]

        by_op = [f'    [GEN_{name}] = {run(rules)},' for name, rules in self.by_op.items()]
        by_bif = [f'    {{{"0" if name == "_" else name}, {arity}, {run(rules)}}},' for (arity, name), rules in self.by_bif.items()]
        missing = [g for g in self.generic if g not in self.by_op]
        text = ['/* Generated by tools/gen_ops.py from src/code/ops.tab. */']
        text += ['static RuleCondition *const conditions[] = {' + ', '.join(self.conditions) + '};']
        text += ['static RuleSetter *const setters[] = {' + ', '.join(self.setters) + '};']
        text += ['static RuleFunction *const functions[] = {' + ', '.join(self.functions) + '};']
        text += ['static const uint8_t rules[] = {', '    0,'] + out + ['};', 'static const uint16_t rules_of[GEN_COUNT] = {'] + by_op + ['};']
        text += ['static const BifRules bif_rules[] = {'] + by_bif + ['};', '']
        return '\n'.join(text), missing


# --- output -------------------------------------------------------------------------------------------------------------

def ops_header(ops, count):
    text = ['/* Generated by tools/gen_ops.py from src/code/ops.tab. */', '#ifndef MOTE_GEN_OPS_H', '#define MOTE_GEN_OPS_H', '', 'typedef enum {']
    text += [f'    OP_{o},' for o in ops] + ['    OP_COUNT', '} OpNumber;', '', f'enum {{ VARIANT_COUNT = {count} }};', '']
    text += ['/* Handlers that stubs use. */', 'enum {']
    for o in ops.values():
        if len(o.variants()) == 1 and o.first is not None:
            text.append(f'    VARIANT_{o.name} = {o.first},')
    return '\n'.join(text + ['};', '', '#endif', ''])


def form_of(kind, letters):
    """Which of an operand's letters stands for a value of this kind; -1: none."""
    for other in (kind, 'N' if kind == 'n' else '', 'r' if kind in 'xy' else '', 's' if kind in 'xyi' else ''):
        if other and other in letters:
            return letters.index(other)
    return -1


def packed(texts):
    """One text that has all of them in it."""
    all = ''
    for t in sorted(set(texts), key=lambda t: (-len(t), t)):
        all += '' if t in all else t
    return all


def ops_tables(ops, fuses):
    text = ['/* Generated by tools/gen_ops.py from src/code/ops.tab. */']
    forms = dict.fromkeys(k for o in ops.values() for _, k in o.args)
    text.append('static const OperandForms forms[] = {')
    for letters in forms:
        rows = ', '.join(f'[{k!r} & 31] = {form_of(k, letters) + 1}' for k in 'xyivnfjehpl' if form_of(k, letters) >= 0)
        text.append(f'    {{{len(letters)}, "{letters}", {{{rows}}}}},')
    text.append('};')
    number = {letters: chr(n) for n, letters in enumerate(forms)}
    rows = {o.name: ''.join(number[k] for _, k in o.args) for o in ops.values()}
    chain = packed(rows.values())
    names = packed(o.name + '\0' for o in ops.values())
    text.append('static const uint8_t operand_forms[] = {' + ', '.join(str(ord(c)) for c in chain) + '};')
    text += ['static const char op_names[] ='] + ['    "' + n + '\\0"' for n in names.split('\0')[:-1]] + ['    ;', 'static const OpInfo op_infos[OP_COUNT] = {']
    for o in ops.values():
        text.append(f'    {{{len(o.args)}, {str(o.first is not None).lower()}, {o.first or 0}, {chain.find(rows[o.name])}, {names.find(o.name + chr(0))}}},')
    text.append('};')
    numbers = {name: n for n, name in enumerate(ops)}
    fuses = sorted(fuses, key=lambda f: (numbers[f.parts[0][0]], -len(f.parts)))
    first = [sum(numbers[f.parts[0][0]] < n for f in fuses) for n in range(len(ops) + 1)]
    text.append('/* By its first instruction: where its fusions begin; those of the next one end them. */')
    text.append('static const uint8_t first_fusion[OP_COUNT + 1] = {' + ', '.join(map(str, first)) + '};')
    text.append('static const Fusion fusions[] = {')
    for f in fuses:
        order = [a for a, _ in f.args]
        parts = ', '.join(f'{{OP_{p}, {len(vs)}, {{{", ".join(str(order.index(v)) for v in vs)}}}}}' for p, vs in f.parts)
        text.append(f'    {{OP_{f.name}, {len(f.parts)}, {{{parts}}}}},')
    return '\n'.join(text + ['};', ''])


BEGIN, END = '<!-- generated from src/code/ops.tab: begin -->', '<!-- generated from src/code/ops.tab: end -->'


def legend(path='src/code/ops.tab'):
    lines = []
    for line in open(path):
        if not line.startswith('#'):
            break
        lines.append(line[1:].rstrip('\n'))
    return '\n'.join(line[1:] if line.startswith(' ') else line for line in lines)


def docs(ops, fuses, rule_texts):
    made_from = {}
    for text in rule_texts:
        left, right = split_rule(text)
        generic = ' '.join(left[0].split()[:2]) if left[0].startswith('bif ') else left[0].split()[0]
        for r in right:
            made_from.setdefault(r.split()[0], []).append(generic.replace('bif _/', 'bif ').replace('bif A_', 'bif '))
    rows = ['| instruction | operands | made from | |', '|---|---|---|---|']
    for o in ops.values():
        if o.parts:
            continue
        operands = ' '.join(f'{a}:{k}' for a, k in o.args)
        origin = ', '.join(f'`{g}`' for g in dict.fromkeys(made_from.get(o.name, [])))
        rows.append(f'| `{o.name}` | {f"`{operands}`" if operands else ""} | {origin} | {o.doc or ""} |')
    chains = ['| fused | chain |', '|---|---|']
    chains += [f'| `{f.name}` | {", ".join(f"`{p}`" for p, _ in f.parts)} |' for f in fuses]
    return '\n'.join(rows) + '\n\n### Fused, in the interpreter\n\n' + '\n'.join(chains)


def write_docs(ops, fuses, rule_texts, page='docs/instructions.md'):
    if not os.path.exists(page):
        return
    whole = open(page).read()
    if BEGIN not in whole:
        return
    before, rest = whole.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    write_if_changed(page, f'{before}{BEGIN}\n\n```\n{legend()}\n```\n\n{docs(ops, fuses, rule_texts)}\n\n{END}{after}')


def main():
    out = sys.argv[1]
    ops, fuses, rule_texts = read()
    variants = []
    for o in ops.values():
        check(o)
        if o.flag not in ('pseudo', 'native'):
            o.first = len(variants)
            variants += [(o, v) for v in o.variants()]
    rules = Rules(ops)
    for t in rule_texts:
        rules.add(t)
    rules_text, missing = rules.text()
    if missing and os.environ.get('VERBOSE'):
        print('no rule for: ' + ' '.join(missing))
    handlers = ['/* Generated by tools/gen_ops.py from src/code/ops.tab. */', '#ifdef LABELS']
    handlers += [f'[{i}] = (Unit)&&L_{o.name}_{v},' for i, (o, v) in enumerate(variants)] + ['#else']
    handlers += [handler(ops, o, v) for o, v in variants] + ['#endif', '']
    write_if_changed(f'{out}/ops.h', ops_header(ops, len(variants)))
    write_if_changed(f'{out}/ops.inc', ops_tables(ops, fuses))
    write_if_changed(f'{out}/rules.inc', rules_text)
    write_if_changed(f'{out}/handlers.inc', '\n'.join(handlers))
    write_docs(ops, fuses, rule_texts)


if __name__ == '__main__':
    main()
