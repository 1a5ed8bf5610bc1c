import type {Family} from '../lib/network.ts';
import {intersectRanges} from '../lib/port-ranges.ts';
import type {Policy} from '../policy/policy.ts';
import {perProtocol} from '../policy/services.ts';
import {type CheckRun, CONNECTION_CHECKS, runEach} from '../proof/checks/index.ts';
import type {View} from '../proof/report.ts';
import {findBlockingRule} from '../proof/responsible-rule.ts';
import type {ResponsibleRule} from '../proof/rule-counters.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import type {Testbed} from '../testbed/testbed.ts';
import {ip} from '../testbed/topology.ts';

/** Exchanges of packets that the policy allows, and that one rule blocks. */
export type BlockedConnection = {
	/** `it answers ping`, `22/tcp answers` */
	readonly names: readonly string[];
	readonly families: readonly Family[];
	readonly rule: ResponsibleRule;
};

/** Further interfaces are not tried: each takes some 150 ms. */
const MOST_INTERFACES = 4;
/** Milliseconds to wait while the packets are only counted. */
const SHORT_MS = 200;

/**
 * Finds what the machine can no longer do although the policy allows it: answer at its open ports and to
 * ping, have its own connections answered, talk over loopback, find its neighbours, use DHCP. The policy
 * does not say which connections the machine may make, so that a rule which blocks these is left out.
 */
export async function findBlockedConnections(
	testbed: Testbed,
	policy: Policy,
	views: ReadonlyArray<Pick<View, 'vantagePoint' | 'expected' | 'passed'>>,
	loaded: RulesUnderTest,
): Promise<readonly BlockedConnection[]> {
	const strangers = views.map(({vantagePoint, expected, passed}) => ({
		vantagePoint,
		expected: perProtocol((protocol) => intersectRanges(expected[protocol], passed[protocol])),
	}));
	const names = [...new Set(views.map(({vantagePoint}) => vantagePoint.inInterface))];
	const runs: CheckRun[] = [];
	for (const name of names.slice(0, MOST_INTERFACES)) {
		const here = strangers.filter(({vantagePoint}) => vantagePoint.inInterface === name);
		// Strangers have one address on all interfaces: what the machine answers leaves where it came in.
		await ip(
			testbed.machine,
			here.map(({vantagePoint: {source}}) => `route replace ${source} dev ${name}`),
		);
		runs.push(...(await runEach(testbed, policy, here, loaded, CONNECTION_CHECKS)));
	}

	const found = new Map<string, BlockedConnection>();
	for (const {runner, context, checks = []} of runs) {
		const failed = checks.filter(({result}) => result === 'failed').map(({name}) => name);
		const {vantagePoint} = context;
		const rule =
			failed.length === 0
				? undefined
				: ((await findBlockingRule(testbed, loaded, vantagePoint, async () =>
						runner({...context, timeout: SHORT_MS}),
					)) ??
					(await findBlockingTable(testbed, loaded, async () => {
						const again = await runner({...context, timeout: SHORT_MS});
						return again.every(({result}) => result !== 'failed');
					})));
		const broken = failed
			.map((name) => name.replace(/^IPv\d: /, ''))
			.filter((name) => rule && !(OUTGOING.test(name) && isOutgoing(rule, loaded)));
		if (rule !== undefined && broken.length > 0) {
			const key = `${rule.place} ${rule.text}`;
			const before = found.get(key);
			found.set(key, {
				names: [...new Set([...(before?.names ?? []), ...broken])],
				families: [...new Set([...(before?.families ?? []), vantagePoint.family])],
				rule,
			});
		}
	}

	return [...found.values()];
}

/**
 * Finds the table of nftables without which an exchange works. It is removed from the testbed. For chains
 * at egress, which nft(8) does not trace.
 */
async function findBlockingTable(
	{machine}: Testbed,
	{nativeTables}: RulesUnderTest,
	works: () => Promise<boolean>,
): Promise<ResponsibleRule | undefined> {
	for (const table of nativeTables) {
		await machine.run('nft', ['delete', 'table', ...table.split(' ')]);
		if (await works()) {
			return {text: 'a rule', place: table, table, chain: '', own: false};
		}
	}

	return undefined;
}

/** Checks that begin with a packet of the machine. */
const OUTGOING = /^its own |^it can ping /;

/** Whether a rule applies to what the machine sends. */
function isOutgoing({table, chain}: ResponsibleRule, {loads}: RulesUnderTest): boolean {
	if (/^(?:OUTPUT|POSTROUTING)$/.test(chain)) {
		return true;
	}

	return loads.some(({program, text}) =>
		program === 'nft'
			? text.startsWith(`table ${table} {`) &&
				new RegExp(
					`^\\tchain ${quote(chain)} \\{\\n.* hook (?:output|postrouting|egress) `,
					'm',
				).test(text)
			: new RegExp(`^-A (?:OUTPUT|POSTROUTING) .*-[jg] ${quote(chain)}$`, 'm').test(text) &&
				!new RegExp(`^-A (?:INPUT|PREROUTING) .*-[jg] ${quote(chain)}$`, 'm').test(text),
	);
}

function quote(text: string): string {
	return text.replaceAll(/[^\w-]/g, '\\$&');
}
