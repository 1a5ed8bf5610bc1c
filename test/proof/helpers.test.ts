import {beforeAll, describe, expect, test} from 'vitest';
import {FAMILIES} from '../../source/lib/network.ts';
import {HELPER_NAMES} from '../../source/policy/helpers.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {openLab} from '../_helpers/lab/lab.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {HELPED, ONE_CARD, proofOf} from '../_helpers/samples/proofs.ts';

/** All helpers, on a machine that is server and client of each. */
const POLICY = completePolicy({
	role: 'server',
	verdict: 'drop',
	helpers: [...HELPER_NAMES],
	openings: parseOpenings(HELPED, new Map()),
});

const TEXTS = buildRuleSet(POLICY, {families: FAMILIES}).families.map((rules) => ({
	family: rules.family,
	text: printRestore(rules),
}));

/** Every CT rule, as the report names it: its family, its chain, and what it is. */
const RULES = TEXTS.flatMap(({family, text}) =>
	[...text.matchAll(/^-A FW-WIZARD-(\S+) (.*-j CT .*)$/gm)].map(([line, chain, rule]) => ({
		family,
		line,
		name: `IPv${family} ${chain} ${rule}`,
	})),
);

describe('each helper by a dialogue of its protocol, with both backends', () => {
	const lab = useLab();
	let hosts: readonly Host[];

	beforeAll(async () => {
		hosts = await Promise.all(BACKENDS.map(async (backend) => lab.host({backend})));
		for (const host of hosts) {
			await host.ip(ONE_CARD);
		}
	});

	/** Exactly the dialogues fail, and are named, whose rules are missing. */
	async function expectFailures(missing: readonly string[]): Promise<void> {
		await Promise.all(
			hosts.map(async (host) => {
				expect([...(await failuresWithout(host, missing))].sort()).toEqual([...missing].sort());
			}),
		);
	}

	test('succeeds', async () => {
		expect(RULES).toHaveLength(31);
		await expectFailures([]);
	}, 120_000);

	// Every rule is once there and once not, among others of which every second is.
	test.each([0, 1])(
		'fails without its rule, and no other does: every second, %i',
		async (parity) => {
			const missing = RULES.filter((_, index) => index % 2 === parity);
			await expectFailures(missing.map(({name}) => name));
		},
		120_000,
	);
});

test('an address in no network has no broadcasts, and that is said', async () => {
	const lab = openLab();
	try {
		const host = await lab.host();
		await host.ip([
			'link add eth0 type veth peer name cable',
			'address add 192.0.2.1/32 dev eth0',
			'link set eth0 up',
			'link set cable up',
		]);
		const policy = completePolicy({role: 'workstation', helpers: ['snmp']});
		const {checks, proven} = await proofOf(host, policy);
		expect(checks.filter(({result}) => result !== 'ok')).toEqual([
			{
				name: 'IPv4: answers to SNMP broadcasts as a client',
				result: 'untried',
				detail: '192.0.2.1/32 on eth0 is in no network that has a broadcast address',
			},
		]);
		expect(proven).toBe(true);
	} finally {
		await lab.close();
	}
}, 60_000);

/** The rules whose dialogues fail, where some of them are missing. */
async function failuresWithout(host: Host, missing: readonly string[]): Promise<readonly string[]> {
	for (const {family, text} of TEXTS) {
		const lines = RULES.filter((rule) => rule.family === family && missing.includes(rule.name));
		const less = lines.reduce((rest, {line}) => rest.replace(`${line}\n`, ''), text);
		const program = family === 4 ? 'iptables-restore' : 'ip6tables-restore';
		await host.must(program, [], {input: less});
	}

	const {checks} = await proofOf(host, POLICY, '--of', 'running');
	expect(checks.filter(({result}) => result === 'untried')).toEqual([]);
	expect(checks.filter(({name}) => / as a (client|server)$/.test(name))).toHaveLength(RULES.length);
	const failed = checks.filter(({result}) => result === 'failed');
	return failed.map(({name, detail}) => {
		const [, chain, rule] = /; (\S+) of the raw table has to reach (.*)$/.exec(detail) ?? [];
		return `${name.slice(0, 4)} ${chain} ${rule}`;
	});
}
