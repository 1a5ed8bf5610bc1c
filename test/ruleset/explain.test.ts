import {describe, expect, it} from 'vitest';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {completePolicy, VERDICTS} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {evaluate} from '../../source/ruleset/evaluate.ts';
import {answerLines, explainDecision, VERDICT_EFFECTS} from '../../source/ruleset/explain.ts';
import type {FamilyRules} from '../../source/ruleset/model.ts';
import {parsePacket} from '../../source/ruleset/packet.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {UNSAFE} from '../_helpers/samples/errors.ts';

function explain(rules: FamilyRules, text: string): readonly string[] {
	const [packet] = parsePacket(text, 'eth0').filter(({family}) => family === rules.family);
	if (!packet) {
		throw new Error(`no packet ${text}`);
	}

	return answerLines(explainDecision(evaluate(rules, packet), packet));
}

/** A save in which a policy's rules decide alone. */
function serverWith(verdict: (typeof VERDICTS)[number], family: 4 | 6): FamilyRules {
	const openings = parseOpening('22/tcp', new Map());
	const policy = completePolicy({role: 'server', verdict, openings});
	const [rules] = buildRuleSet(policy, {families: [family]}).families;
	if (!rules) {
		throw new Error('no rules');
	}

	return rules;
}

const save = (...lines: readonly string[]) =>
	parseSave(['*filter', ':INPUT DROP [0:0]', ...lines, 'COMMIT', ''].join('\n'), 4);

describe('explainDecision', () => {
	it.each([
		['reject', 4, 'rejected: the sender is told "port unreachable"', 'Rule 7', '-j REJECT'],
		['reject', 6, 'rejected: the sender is told "port unreachable"', 'Rule 7', '-j REJECT'],
		[
			'reset',
			4,
			'rejected: the sender is told "closed" (tcp-reset)',
			'Rule 7',
			'-p tcp --syn -j REJECT --reject-with tcp-reset',
		],
		['drop', 6, 'dropped: the sender hears nothing', 'Rule 7', '-j DROP'],
	] as const)('says what %s does to a stranger, IPv%i', (verdict, family, outcome, place, rule) => {
		const source = family === 4 ? '192.0.2.1' : '2001:db8::1';
		expect(explain(serverWith(verdict, family), 'tcp 3306')).toEqual([
			`IPv${family} from ${source} on eth0: ${outcome}`,
			`${place} of FW-WIZARD-INPUT: ${rule}`,
		]);
	});

	it('names the rule that accepts', () => {
		expect(explain(serverWith('drop', 4), 'tcp 22 from 203.0.113.9')).toEqual([
			'IPv4 from 203.0.113.9 on eth0: accepted',
			'Rule 6 of FW-WIZARD-INPUT: -p tcp --dport 22 -j ACCEPT',
		]);
	});

	it('names the policy where no rule decides', () => {
		expect(explain(save(), 'tcp 22')).toEqual([
			'IPv4 from 192.0.2.1 on eth0: dropped: the sender hears nothing',
			'No rule decides; the policy of INPUT does',
		]);
	});

	it("says when another program's rule cannot be judged", () => {
		expect(explain(save('-A INPUT -m set --match-set bad src -j DROP'), 'tcp 22')).toEqual([
			'IPv4 from 192.0.2.1 on eth0: unknown: a rule may decide that cannot be judged from here',
			'Rule 1 of INPUT: -m set --match-set bad src -j DROP',
		]);
	});

	it('says what another kind of REJECT tells the sender', () => {
		const [line] = explain(save('-A INPUT -j REJECT --reject-with icmp-host-prohibited'), 'tcp 22');
		expect(line).toContain('rejected: the sender is told "icmp-host-prohibited"');
	});

	it("lets nothing of another program's rule act on the terminal", () => {
		const rule = '-A INPUT -m string --string "\u001B[2J\u202E" --algo bm -j DROP';
		for (const line of explain(save(rule), 'tcp 22')) {
			expect(line).not.toMatch(UNSAFE);
		}
	});
});

describe('VERDICT_EFFECTS', () => {
	it('says in a line of a small terminal what each verdict does', () => {
		expect(Object.keys(VERDICT_EFFECTS)).toEqual([...VERDICTS]);
		for (const {client, scan, you} of Object.values(VERDICT_EFFECTS)) {
			for (const text of [client, scan, you]) {
				expect(text).toMatch(/^.{10,60}[^.]$/);
			}
		}
	});
});
